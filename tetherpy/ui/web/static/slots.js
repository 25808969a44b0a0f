// Over HTTP/1.1 a browser opens at most six connections to a host, shared by all tabs. Streams use at most four, so
// that pages still load. A page without a slot polls until one is free.
const SLOTS = 4;

export function takeSlot(signal) {
  const slot = { taken: false, free: null };
  // Without the Web Locks API (neither localhost nor HTTPS) every page opens its stream.
  if (!navigator.locks) return { taken: true, free: Promise.resolve() };
  const held = new Promise((resolve) => signal.addEventListener("abort", resolve));
  slot.free = new Promise((resolve) => {
    const rest = new AbortController();
    signal.addEventListener("abort", () => {
      rest.abort();
      resolve();
    });
    for (let number = 0; number < SLOTS; number++) {
      navigator.locks
        .request(`tetherpy-stream-${number}`, { signal: rest.signal }, () => {
          if (slot.taken || signal.aborted) return undefined;
          slot.taken = true;
          rest.abort();
          resolve();
          return held;
        })
        .catch((error) => {
          if (error.name !== "AbortError") throw error;
        });
    }
  });
  return slot;
}
