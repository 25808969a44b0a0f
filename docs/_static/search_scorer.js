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
