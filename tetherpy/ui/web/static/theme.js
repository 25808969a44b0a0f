// Apply the saved theme before the first paint.
(() => {
  const chosen = localStorage.getItem("tetherpy-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
