// Says something in passing, to the eye and to screen readers.
const SECONDS = 6;
const FAILED_SECONDS = 15;

export function toast(message, { failed = false, detail = "", link = "" } = {}) {
  const note = document.createElement("div");
  note.className = failed ? "toast toast-failed" : "toast";
  const body = document.createElement("div");
  body.className = "toast-body";
  body.append(line("p", message));
  if (detail) body.append(line("pre", detail));
  if (link) {
    const anchor = line("a", "Show it");
    anchor.className = "toast-link";
    anchor.href = link;
    body.append(anchor);
  }
  const close = line("button", "Close");
  close.type = "button";
  close.className = "button quiet";
  close.addEventListener("click", () => note.remove());
  note.append(body, close);
  document.getElementById("toasts").append(note);
  if (!detail) setTimeout(() => note.remove(), (failed ? FAILED_SECONDS : SECONDS) * 1000);
}

function line(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
