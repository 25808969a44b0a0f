"""The SQL of an engine, in the ``sql`` folder next to its modules: a file per statement, and the ``schema``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .columns import COLUMNS


def read_schema(module: str, *parts: str) -> str:
    """Return the script that makes the tables: the files of ``schema`` of these names, in this order.

    It is taken as it is, since a released migration must not change when a rule does.
    """
    folder = Path(module).with_name("sql") / "schema"
    return "\n".join((folder / f"{part}.sql").read_text(encoding="utf-8") for part in parts)


def read_statements(module: str, fragments: Mapping[str, str]) -> Mapping[str, str]:
    """Return the statements next to a module's file by name, all read at once; ``fragments`` replace ``{name}``.

    A worker needs no descriptor for them later, when there may be none left, and no file that an upgrade of the package
    may have changed.
    """
    texts = {file.stem: file.read_text(encoding="utf-8") for file in Path(module).with_name("sql").glob("*.sql")}
    for name, fragment in {"columns": ", ".join(COLUMNS), **fragments}.items():
        texts = {stem: text.replace(f"{{{name}}}", fragment) for stem, text in texts.items()}
    return texts
