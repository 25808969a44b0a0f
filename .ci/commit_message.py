"""Check the first line of a commit message: ``area: imperative summary``, within 72 characters."""

import re
import sys
from pathlib import Path

LONGEST = 72
FORM = re.compile(r"(?:[a-z][\w./, -]*: \S|Merge |Revert |fixup! |squash! )")


def main(path: str) -> int:
    """Return 1 and print the reason if the first line has another form."""
    subject = Path(path).read_text().partition("\n")[0]
    if len(subject) <= LONGEST and FORM.match(subject):
        return 0
    sys.stderr.write(f"{subject!r}: write 'area: imperative summary' within {LONGEST} characters.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
