"""The name under which installers know the library.

The import name is ``tetherpy``. On the public index that name belongs to another project.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

DISTRIBUTION = "tetherpy-jobs"
"""The name of the distribution, as in ``pyproject.toml``."""


def install_command(extra: str) -> str:
    """Return the shell command that installs an extra: ``pip install 'tetherpy-jobs[web]'``."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def installed_version() -> str:
    """Return the version of this installation."""
    from importlib.metadata import version  # imported here: it takes a fifth of the time of a short command

    return version(DISTRIBUTION)


def installed_requirement(extra: str) -> str:
    """Return the requirement that installs the library, with an extra, from where this installation came.

    That is the URL which the installer recorded (PEP 610): a checkout, an archive, or a commit of a repository. Without
    such a record the library came from an index, and the requirement is its name and at least its version.
    """
    from importlib.metadata import distribution

    found = distribution(DISTRIBUTION)
    name = f"{DISTRIBUTION}[{extra}]"
    record = found.read_text("direct_url.json")
    return f"{name} @ {_url(json.loads(record))}" if record else f"{name}>={found.version}"


def _url(record: dict[str, Any]) -> str:
    """Return the URL of a requirement from a record of PEP 610."""
    url = quote(record["url"], safe=":/?#[]@!$&'()*+,;=%~")
    if repository := record.get("vcs_info"):
        url = f"{repository['vcs']}+{url}@{repository['commit_id']}"
    folder = record.get("subdirectory")
    return f"{url}#subdirectory={quote(folder)}" if folder else url
