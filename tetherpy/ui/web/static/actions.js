// Sends forms without leaving the page, after asking where what they do cannot be undone.
import { toast } from "./toasts.js";

export function watchActions() {
  // The second click of a double click comes when the first may have been answered: it is not meant twice.
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target.closest("[data-action] button[type=submit]")) event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-action]")) return;
    event.preventDefault();
    act(form, event.submitter);
  });
}

async function act(form, button) {
  // Nor is one while the first is being answered.
  if (button?.getAttribute("aria-busy") || button?.getAttribute("aria-disabled")) return;
  // Not form.action, which is the button of that name.
  const address = new URL(form.getAttribute("action"), document.baseURI);
  // Before the question: until that is answered, a change may have taken the button from the page.
  const fields = new URLSearchParams(new FormData(form, button));
  const question = button?.dataset.confirm;
  if (question && !(await confirmed(question, button.dataset.yes ?? "Delete"))) return;
  if (button) button.setAttribute("aria-busy", "true");
  if (form.dataset.busy) toast(form.dataset.busy);
  let done = 0;
  try {
    let outcome;
    let refused;
    do {
      outcome = await send(address, fields);
      done += outcome.done;
      if (outcome.failed) refused ??= outcome;
      // From there on: what is done may pass the filter again at once.
      fields.set("before_id", outcome.before_id);
    } while (outcome.more);
    tell(form, refused ?? outcome, done, fields.get("action"));
  } catch (error) {
    toast(`${done ? `It was done for ${done} jobs and no more` : "It was not done"}: ${error.message}`, { failed: true });
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

async function send(address, fields) {
  const answer = await fetch(address, { method: "POST", body: fields, headers: { accept: "application/json" } });
  if (answer.headers.get("content-type") !== "application/json") throw new Error(await answer.text());
  return answer.json();
}

function tell(form, outcome, done, action) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const place = form.querySelector(".form-error");
  if (place) place.textContent = outcome.failed ? outcome.message : "";
  if (outcome.field) {
    const field = form.elements[outcome.field] ?? form.elements[`payload.${outcome.field}`];
    field?.setAttribute("aria-invalid", "true");
    field?.focus();
  }
  form.dispatchEvent(new CustomEvent("acted", { bubbles: true, detail: { action, failed: outcome.failed } }));
  if (place && outcome.failed) return;
  const message = done > outcome.done ? `${done} jobs in all. ${outcome.message}` : outcome.message;
  const link = outcome.goto && new URL(outcome.goto, document.baseURI).href !== location.href ? outcome.goto : "";
  toast(message, { failed: outcome.failed, detail: outcome.detail, link });
}

function confirmed(question, yes) {
  const dialog = document.getElementById("confirm");
  document.getElementById("confirm-text").textContent = question;
  document.getElementById("confirm-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
