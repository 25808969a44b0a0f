// Entry point of the scripts of a page.
import { watchActions } from "./actions.js";
import { watchSelection } from "./selection.js";
import { stayLive } from "./live.js";
import { showTimes } from "./times.js";
import { adoptToasts } from "./toasts.js";

function watchTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  document.getElementById("theme-toggle").addEventListener("click", () => {
    const root = document.documentElement;
    const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    localStorage.setItem("tetherpy-theme", root.dataset.theme);
  });
}

function watchReload() {
  document.addEventListener("change", ({ target: select }) => {
    if (!select.matches("select[data-reload]")) return;
    const address = new URL("enqueue", document.baseURI);
    address.searchParams.set("key", select.value);
    location.assign(address);
  });
}

function watchFilters() {
  const form = document.getElementById("filters");
  for (const select of form?.querySelectorAll("select") ?? []) {
    select.addEventListener("change", () => form.requestSubmit());
  }
  // Keep empty fields out of the URL.
  form?.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (!value) formData.delete(name);
  });
}

adoptToasts();
watchTheme();
watchReload();
watchFilters();
watchActions();
const selection = watchSelection();
showTimes(document);
setInterval(() => showTimes(document), 1000);
stayLive(document.body.dataset.live, (changed) => {
  showTimes(changed);
  selection.refresh();
});
