// The selected jobs, kept by id, so that the selection survives changes of the rows.

export function watchSelection() {
  const form = document.getElementById("jobs");
  if (!form) return { refresh() {} };
  const selected = new Set();
  const all = document.getElementById("pick-all");
  const bulk = document.getElementById("bulk");
  const boxes = () => [...form.querySelectorAll('input[name="id"]')];

  function refresh() {
    const seen = boxes();
    for (const box of seen) {
      box.checked = selected.has(box.value);
      box.closest("tr").classList.toggle("selected", box.checked);
    }
    const marked = seen.filter((box) => box.checked).length;
    all.checked = seen.length > 0 && marked === seen.length;
    all.indeterminate = marked > 0 && marked < seen.length;
    bulk.hidden = selected.size === 0;
    document.getElementById("bulk-count").textContent = `${selected.size} selected`;
  }

  function select(box, yes) {
    if (yes) selected.add(box.value);
    else selected.delete(box.value);
  }

  form.addEventListener("change", ({ target }) => {
    if (target === all) for (const box of boxes()) select(box, all.checked);
    else if (target.name === "id") select(target, target.checked);
    refresh();
  });
  document.getElementById("bulk-clear").addEventListener("click", () => {
    selected.clear();
    refresh();
  });
  form.addEventListener("formdata", ({ formData }) => {
    formData.delete("id");
    for (const id of selected) formData.append("id", id);
  });
  form.addEventListener("acted", ({ detail }) => {
    if (detail.failed) return;
    // An action on a single job leaves the rest of the selection unchanged.
    const [action, single] = detail.action.split(":");
    if (!single) selected.clear();
    else if (action === "delete") selected.delete(single);
    refresh();
  });
  // Boxes checked before this script ran, or restored by the browser.
  for (const box of boxes()) select(box, box.checked);
  refresh();
  return { refresh };
}
