// Shows relative times and local dates, and keeps them current.
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const UNITS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];

export function showTimes(root) {
  const now = Date.now();
  for (const element of root.querySelectorAll("time")) {
    const instant = Date.parse(element.dateTime);
    const text = words(element.dataset, (now - instant) / 1000, instant);
    if (text !== null && element.textContent !== text) element.textContent = text;
    if (element.title && element.dataset.titled !== element.dateTime) {
      element.title = DATE.format(instant);
      element.dataset.titled = element.dateTime;
    }
  }
}

function words(kind, seconds, instant) {
  if ("ago" in kind) return seconds < 1 ? "just now" : `${span(seconds)} ago`;
  if ("since" in kind) return span(Math.max(seconds, 0));
  if ("until" in kind) return seconds >= 0 ? "now" : `in ${span(-seconds)}`;
  if ("at" in kind) return DATE.format(instant);
  return null;
}

function span(seconds) {
  const whole = Math.floor(seconds);
  for (const [size, unit, smallSize, small] of UNITS) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / smallSize);
    return rest ? `${Math.floor(whole / size)} ${unit} ${rest} ${small}` : `${Math.floor(whole / size)} ${unit}`;
  }
  return `${whole} s`;
}
