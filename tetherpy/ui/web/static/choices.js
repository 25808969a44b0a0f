// Which jobs are chosen: by their numbers, so that a choice outlives the rows that come and go.

export function watchChoices() {
  const form = document.getElementById("jobs");
  if (!form) return { refresh() {} };
  const chosen = new Set();
  const all = document.getElementById("pick-all");
  const bulk = document.getElementById("bulk");
  const boxes = () => [...form.querySelectorAll('input[name="id"]')];

  function refresh() {
    const seen = boxes();
    for (const box of seen) {
      box.checked = chosen.has(box.value);
      box.closest("tr").classList.toggle("chosen", box.checked);
    }
    const marked = seen.filter((box) => box.checked).length;
    all.checked = seen.length > 0 && marked === seen.length;
    all.indeterminate = marked > 0 && marked < seen.length;
    bulk.hidden = chosen.size === 0;
    document.getElementById("bulk-count").textContent = `${chosen.size} chosen`;
  }

  function choose(box, yes) {
    if (yes) chosen.add(box.value);
    else chosen.delete(box.value);
  }

  form.addEventListener("change", ({ target }) => {
    if (target === all) for (const box of boxes()) choose(box, all.checked);
    else if (target.name === "id") choose(target, target.checked);
    refresh();
  });
  document.getElementById("bulk-clear").addEventListener("click", () => {
    chosen.clear();
    refresh();
  });
  form.addEventListener("formdata", ({ formData }) => {
    formData.delete("id");
    for (const id of chosen) formData.append("id", id);
  });
  form.addEventListener("acted", ({ detail }) => {
    if (detail.failed) return;
    // What was done to one job leaves the choice of others alone.
    const [step, single] = detail.action.split(":");
    if (!single) chosen.clear();
    else if (step === "delete") chosen.delete(single);
    refresh();
  });
  // What was chosen before this script was there, or is kept by the browser.
  for (const box of boxes()) choose(box, box.checked);
  refresh();
  return { refresh };
}
