// Over HTTP/1.1 a browser has six connections to a host, for all its tabs. Streams take four of them at most, so
// that there is always one to load a page with; who gets no slot asks now and then until one is free.
const SLOTS = 4;

export function takeSlot(signal) {
  const slot = { taken: false, free: null };
  // Without locks (a page that is neither local nor HTTPS) every page takes its stream.
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
