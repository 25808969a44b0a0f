// Transient messages, announced to screen readers.
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
    const anchor = line("a", "Open");
    anchor.className = "toast-link";
    anchor.href = link;
    body.append(anchor);
  }
  note.append(body);
  document.getElementById("toasts").append(note);
  addClose(note);
}

// Flash messages that the server rendered after a form post without scripts.
export function adoptToasts() {
  for (const note of document.querySelectorAll("#toasts > .toast")) addClose(note);
}

function addClose(note) {
  const close = line("button", "Close");
  close.type = "button";
  close.className = "button quiet";
  close.addEventListener("click", () => note.remove());
  note.append(close);
  const seconds = note.classList.contains("toast-failed") ? FAILED_SECONDS : SECONDS;
  // Messages with details stay until they are closed.
  if (!note.querySelector("pre")) setTimeout(() => note.remove(), seconds * 1000);
}

function line(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
