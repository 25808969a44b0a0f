"""Show a Mermaid state diagram as a table of moves: the site works offline, without Mermaid's script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MOVE = re.compile(r"^\s*(\S+) --> (\S+?)(?:: (.+))?$")
STARTS_OR_ENDS = "[*]"
HEADINGS = ("from", "to", "when")


class Mermaid(SphinxDirective):
    """A fenced block of Mermaid; any diagram but a state diagram stays as its source text."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the table, or the source."""
        moves = [match.groups(default="") for line in self.content if (match := MOVE.match(line))]
        if not moves:
            return [nodes.literal_block(text="\n".join(self.content))]
        rows = [
            ["(new)" if name == STARTS_OR_ENDS else name for name in move]
            for move in moves
            if move[1] != STARTS_OR_ENDS
        ]
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in HEADINGS), cols=len(HEADINGS))
        group += nodes.thead("", self.row(HEADINGS))
        group += nodes.tbody("", *(self.row(row) for row in rows))
        return [nodes.table("", group)]

    def row(self, texts: tuple[str, ...] | list[str]) -> nodes.row:
        """Return one row of cells."""
        return nodes.row("", *(nodes.entry("", nodes.paragraph(text=text)) for text in texts))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive for fenced blocks."""
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
