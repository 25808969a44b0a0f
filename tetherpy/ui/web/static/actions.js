// Sends forms without leaving the page, after a confirmation where the button requires one.
import { toast } from "./toasts.js";

export function watchActions() {
  // Ignore the second click of a double click: the first request may have finished before it.
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
  // Ignore clicks while a request is in progress.
  if (button?.getAttribute("aria-busy") || button?.getAttribute("aria-disabled")) return;
  // Not form.action: that is the button named "action".
  const address = new URL(form.getAttribute("action"), document.baseURI);
  // Read the fields before the confirmation: an update may remove the button in the meantime.
  const fields = new URLSearchParams(new FormData(form, button));
  const prompt = button?.dataset.confirm;
  if (prompt && !(await confirmed(prompt, button.dataset.yes))) return;
  if (button) button.setAttribute("aria-busy", "true");
  if (form.dataset.busy) toast(form.dataset.busy);
  let done = 0;
  try {
    let outcome;
    let refused;
    do {
      outcome = await send(address, fields);
      done = outcome.done;
      if (outcome.failed) refused ??= outcome;
      // Continue below the last id: a changed job may match the filters again.
      fields.set("cursor", outcome.cursor);
      fields.set("done", done);
    } while (outcome.more);
    // Refusals of an earlier batch are shown as details.
    if (refused && refused !== outcome) outcome = { ...outcome, failed: true, detail: refused.message };
    show(form, outcome, fields.get("action"));
  } catch (error) {
    toast(`${done ? `Stopped after ${done} jobs` : "Request failed"}: ${error.message}`, { failed: true });
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

async function send(address, fields) {
  const response = await fetch(address, { method: "POST", body: fields, headers: { accept: "application/json" } });
  if (response.headers.get("content-type") !== "application/json") throw new Error(await response.text());
  return response.json();
}

function show(form, outcome, action) {
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
  const link = outcome.goto && new URL(outcome.goto, document.baseURI).href !== location.href ? outcome.goto : "";
  toast(outcome.message, { failed: outcome.failed, detail: outcome.detail, link });
}

function confirmed(prompt, yes) {
  const dialog = document.getElementById("confirm");
  document.getElementById("confirm-text").textContent = prompt;
  document.getElementById("confirm-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
