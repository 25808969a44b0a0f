// Updates the page: streams while it is visible, and reconnects when the server is back.
import { takeSlot } from "./slots.js";
import { toast } from "./toasts.js";
import { swapper } from "./swap.js";

const POLL_MILLISECONDS = 2000;
const AGAIN_MILLISECONDS = 2000;
const NAMES = { live: "Live", waiting: "Connecting", lost: "Offline", paused: "Paused", polling: "Live" };

export function stayLive(address, changed) {
  const url = new URL(address, document.baseURI);
  const swap = swapper(changed);
  const toggle = document.getElementById("live-toggle");
  let known = document.body.dataset.instance;
  let paused = false;
  let lost = false;
  let leaving = null;

  function show(state) {
    document.documentElement.dataset.connection = state;
    document.getElementById("live-state").textContent = NAMES[state];
  }

  function greeted(instance) {
    if (instance !== known) toast("Server restarted. The page is up to date.");
    else if (lost) toast("Reconnected. The page is up to date.");
    lost = false;
    known = instance;
  }

  function lose() {
    if (!lost) toast("Connection lost. Reconnecting.", { failed: true });
    lost = true;
    show("lost");
  }

  function start() {
    if (leaving || paused || document.hidden) return;
    leaving = new AbortController();
    show("waiting");
    run(leaving.signal);
  }

  function stop() {
    leaving?.abort();
    leaving = null;
    show(paused ? "paused" : "waiting");
  }

  async function run(signal) {
    const slot = takeSlot(signal);
    while (!signal.aborted && !slot.taken) {
      await poll(signal);
      await Promise.race([slot.free, wait(POLL_MILLISECONDS, signal)]);
    }
    if (!signal.aborted) stream(signal);
  }

  async function poll(signal) {
    const once = new URL(url);
    once.searchParams.set("once", "");
    try {
      const response = await fetch(once, { signal });
      // The session has ended or the token has changed: reload to get the login page.
      if (response.status === 401 || response.status === 403) return location.reload();
      if (!response.ok) throw new Error(response.statusText);
      const { instance, html, lists } = await response.json();
      if (signal.aborted) return;
      greeted(instance);
      swap({ html, lists });
      show("polling");
    } catch (error) {
      if (!signal.aborted) lose();
    }
  }

  function stream(signal) {
    const source = new EventSource(url);
    // Removes the abort listener when the source ends first.
    const ended = new AbortController();
    source.addEventListener("hello", ({ data }) => {
      greeted(JSON.parse(data).instance);
      show("live");
    });
    source.addEventListener("change", ({ data }) => swap(JSON.parse(data)));
    source.addEventListener("error", () => {
      lose();
      // Browsers reconnect by themselves unless the response was not a stream.
      if (source.readyState !== EventSource.CLOSED) return;
      ended.abort();
      wait(AGAIN_MILLISECONDS, signal).then(async () => {
        await poll(signal);
        if (!signal.aborted) stream(signal);
      });
    });
    signal.addEventListener("abort", () => source.close(), { signal: ended.signal });
  }

  toggle.addEventListener("click", () => {
    paused = !paused;
    toggle.setAttribute("aria-pressed", String(paused));
    if (paused) stop();
    else start();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", start);
  start();
}

function wait(milliseconds, signal) {
  return new Promise((resolve) => {
    // Remove the listener: a page that is open all day waits often.
    function end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
