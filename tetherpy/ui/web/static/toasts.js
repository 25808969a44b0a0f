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
  note.append(body);
  document.getElementById("toasts").append(note);
  letGo(note);
}

// What the server said, after a form that was sent without a script.
export function adoptToasts() {
  for (const note of document.querySelectorAll("#toasts > .toast")) letGo(note);
}

function letGo(note) {
  const close = line("button", "Close");
  close.type = "button";
  close.className = "button quiet";
  close.addEventListener("click", () => note.remove());
  note.append(close);
  const seconds = note.classList.contains("toast-failed") ? FAILED_SECONDS : SECONDS;
  // Details take longer to read than anyone can tell.
  if (!note.querySelector("pre")) setTimeout(() => note.remove(), seconds * 1000);
}

function line(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
