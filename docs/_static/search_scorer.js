// Rank pages and their headings above names of the API: most searches are questions, not names.
var Scorer = {
  objNameMatch: 6,
  objPartialMatch: 2,
  objPrio: { 0: 3, 1: 0, 2: -5 },
  objPrioDefault: 0,
  title: 20,
  partialTitle: 12,
  term: 4,
  partialTerm: 2,
};

// The search page fetches the pages that it found, to quote them. Browsers refuse that for a site opened from a folder.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
