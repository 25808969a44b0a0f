// Keeps the keyboard focus: moves it to the replacement when the focused element is removed.
const FOCUSABLE =
  'a[href], button:not(:disabled), input:not(:disabled, [type="hidden"]), select, textarea, summary, [tabindex="0"]';

// Call before a change; call the returned function after it.
export function keepFocus() {
  const element = document.activeElement;
  if (!hasFocus(element)) return () => {};
  const places = [];
  for (let inner = element; inner.parentElement; inner = inner.parentElement) {
    const parent = inner.parentElement;
    places.push({ parent, number: [...parent.children].indexOf(inner) });
  }
  return () => {
    if (hasFocus(document.activeElement)) return;
    const same = element.isConnected ? element : document.getElementById(element.id);
    (same ?? equivalent(element, places))?.focus({ preventScroll: true });
  };
}

function hasFocus(element) {
  return element !== null && element !== document.body;
}

// The element at the same position, or at the position of its row: the same button of another job if there is one.
function equivalent(element, places) {
  const kind = element.id.replace(/[0-9]+$/, "");
  for (const { parent, number } of places) {
    const place = parent.isConnected && parent.children[Math.min(number, parent.children.length - 1)];
    if (!place) continue;
    const alike = kind && place.querySelector(`[id^="${CSS.escape(kind)}"]`);
    const found = alike || (place.matches(FOCUSABLE) ? place : place.querySelector(FOCUSABLE));
    if (found) return found;
  }
  return null;
}
