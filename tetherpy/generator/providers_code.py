"""Render the package of providers from the settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from pathlib import PurePosixPath

from .generated_marker import stamped
from .jobs_module import jobs_module
from .python_source import SHORTEST_LINE, call, literal
from .settings import BackgroundServices
from .templates_text import filled

_PROVIDER = re.compile(r"^(?:async def |def |(?=enqueue_\w+ = ))([a-z]\w*)(?:\(| = )", re.MULTILINE)


def providers_package(services: BackgroundServices) -> dict[PurePosixPath, str]:
    """Return the sources of the package, by path relative to the ``tether.yaml``."""
    modules = {
        "background_jobs": filled("providers/background_jobs", {}),
        "background_service": _background_service(services),
        "database": _database(services),
    }
    if services.jobs:
        modules["jobs"] = jobs_module(services.jobs)
    modules["__init__"] = _facade(modules)
    folder = PurePosixPath(*services.package.split("."))
    return {folder / f"{name}.py": stamped(modules[name]) for name in sorted(modules)}


def _background_service(services: BackgroundServices) -> str:
    names = ("app_initialization_callback", "initial_notification_title", "initial_notification_content")
    values = {name: literal(getattr(services, name)) for name in names}
    return filled("providers/background_service", {**values, "log_settings": _log_settings(services)})


def _log_settings(services: BackgroundServices) -> str:
    """Return the arguments that differ from the defaults, a line each."""
    given = {
        "log_level": literal(services.log_level),
        "log_format": literal(services.log_format),
        "job_logs": str(services.job_logs),
    }
    defaults = BackgroundServices()
    changed = [name for name in given if getattr(services, name) != getattr(defaults, name)]
    return "".join(f"        {name}={given[name]},\n" for name in changed)


def _database(services: BackgroundServices) -> str:
    module, _, name = (services.migrations or "").partition(":")
    opened_with = ["ref.watch(database_path_provider)", *([f"migrations={module}.{name}"] if module else [])]
    path = literal(services.database_path)
    relative = services.path_is_relative
    depth = len(services.package.split("."))
    folder = f"    folder = Path(__file__).parents[{depth}]  # that of tether.yaml\n"
    values = {
        "import_migrations": f"\nimport {module}\n" if module else "",
        "import_path": "from pathlib import Path\n" if relative else "",
        "database_path": f"{folder}{call('    return Path', ['folder', path])}" if relative else f"    return {path}",
        "opening": call("    opening = open_database", opened_with),
    }
    return filled("providers/database", values)


def _facade(modules: Mapping[str, str]) -> str:
    offered = {name: sorted(_PROVIDER.findall(source), key=_natural) for name, source in sorted(modules.items())}
    imports = "\n".join(_import(name, names) for name, names in offered.items())
    names = "".join(f'    "{name}",\n' for name in sorted(chain(*offered.values()), key=_natural))
    return filled("providers/__init__", {"imports": imports, "names": names})


def _import(module: str, names: list[str]) -> str:
    line = f"from .{module} import {', '.join(names)}"
    if len(line) <= SHORTEST_LINE and line.isascii() and len(names) < 5:
        return line
    return f"from .{module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a key for the natural order of names, as linters use it."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", name)]
