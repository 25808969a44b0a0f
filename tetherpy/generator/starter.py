"""Create a starter app with a worker, a script and a test."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from tetherpy.distribution import installed_requirement

from .errors import FilesExistError
from .file_replacement import replace_files
from .providers_code import providers_package
from .settings import BackgroundServices, JobDeclaration
from .templates_text import filled

_FILES = {
    "tether.yaml": "tether.yaml",
    "jobs.py": "jobs.py",
    "worker.py": "worker.py",
    "main.py": "main.py",
    "test_worker.py": "test_worker.py",
    "pyproject.toml": "pyproject.toml",
    ".gitignore": "gitignore",
}
"""The files of a starter app, and their templates."""


def create_starter(folder: Path) -> list[Path]:
    """Write a starter app into a folder, created if missing; return the files.

    Raises ``FilesExistError`` if one of them exists, and ``OSError`` if they cannot be written. Nothing was written
    then.
    """
    title = "".join(character if character.isprintable() else "?" for character in folder.resolve().name) or "app"
    services = BackgroundServices(
        enabled=True,
        initial_notification_title=f"{title} worker",
        initial_notification_content="Waiting for jobs.",
        jobs=(JobDeclaration("greet", "jobs:greet"),),
    )
    values = {
        "title": json.dumps(services.initial_notification_title),  # JSON is valid YAML
        "content": json.dumps(services.initial_notification_content),
        "distribution": _distribution_name(title),
        "requirement": json.dumps(installed_requirement("cli")),  # JSON strings are valid TOML
    }
    texts = {folder / name: filled(f"starter/{template}", values) for name, template in _FILES.items()}
    texts |= {folder / path: text for path, text in providers_package(services).items()}
    hidden = folder / f"{services.package}.py"  # a module that the package would hide
    there = [path for path in (*texts, hidden) if os.path.lexists(path)]
    if there:
        raise FilesExistError(there)
    replace_files(texts)
    return sorted(texts)


def _distribution_name(title: str) -> str:
    """Return a valid distribution name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "app"
