"""The SQL of an engine: one file per statement in the ``sql`` folder next to its modules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .columns import COLUMNS


def read_statements(module: str, fragments: Mapping[str, str]) -> Mapping[str, str]:
    """Return the statements next to a module's file by name, all read at once.

    A worker needs no descriptor for them later, when there may be none left, and no file that an upgrade of the package
    may have changed. ``fragments`` replace ``{name}`` in every statement, except in the schema: a released migration
    must not change when a rule does.
    """
    texts = {file.stem: file.read_text(encoding="utf-8") for file in Path(module).with_name("sql").glob("*.sql")}
    for name, fragment in {"columns": ", ".join(COLUMNS), **fragments}.items():
        texts = {
            stem: text if stem.startswith("schema") else text.replace(f"{{{name}}}", fragment)
            for stem, text in texts.items()
        }
    return texts
