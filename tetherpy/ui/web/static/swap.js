// Replaces fragments of HTML with minimal changes, so that the focus stays.
import { keepFocus } from "./focus.js";

// Attributes that the user and the scripts control.
const OURS = new Set(["open", "aria-busy"]);

export function swapper(changed) {
  let html = {};
  let lists = {};
  let due = false;

  function apply() {
    due = false;
    const news = { html, lists };
    html = {};
    lists = {};
    const refocus = keepFocus();
    const waiting = new Map();
    for (const [id, text] of Object.entries(news.html)) {
      const old = document.getElementById(id);
      const fresh = parse(text);
      if (!old) waiting.set(id, fresh);
      else if (isBeingCopied(old)) html[id] = text;
      else morph(old, fresh);
    }
    for (const [id, rows] of Object.entries(news.lists)) order(document.getElementById(id), rows, waiting);
    refocus();
    changed(document);
    if (Object.keys(html).length) later();
  }

  function later() {
    if (due) return;
    due = true;
    requestAnimationFrame(apply);
  }

  return (news) => {
    Object.assign(html, news.html);
    Object.assign(lists, news.lists);
    later();
  };
}

function parse(text) {
  const template = document.createElement("template");
  template.innerHTML = text.trim();
  return template.content.firstElementChild;
}

function isBeingCopied(element) {
  const selection = getSelection();
  return selection.type === "Range" && selection.containsNode(element, true);
}

function order(list, ids, waiting) {
  if (!list) return;
  const wanted = new Set(ids);
  for (const row of [...list.children]) if (!wanted.has(row.id)) row.remove();
  let place = list.firstElementChild;
  for (const id of ids) {
    const row = waiting.get(id) ?? document.getElementById(id);
    if (!row) continue;
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
  }
}

function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  // times.js writes their text in the user's time zone.
  if (old.nodeName === "TIME" && old.dateTime === fresh.dateTime) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !OURS.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !OURS.has(name)) old.setAttribute(name, value);
  }
  morphChildren(old, fresh);
}

// Match children with ids by id, wherever they have moved; match the others by position.
function morphChildren(old, fresh) {
  const wanted = new Set([...fresh.children].map(({ id }) => id));
  for (const child of [...old.children]) if (child.id && !wanted.has(child.id)) child.remove();
  const known = new Map([...old.children].filter(({ id }) => id).map((child) => [child.id, child]));
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const same = child.id ? known.get(child.id) : place?.id ? null : place;
    if (same && same === place) place = place.nextSibling;
    else old.insertBefore(same ?? child, place);
    if (same) morph(same, child);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}
