"""The packages to analyse: those of the running Python's standard library."""

from importlib.machinery import PathFinder
from pathlib import Path
from sys import stdlib_module_names

BROKEN = "broken_package"
BROKEN_SOURCE = "def unfinished(:\n    return 1\n"


def standard_packages() -> dict[str, Path]:
    """Return the folder of each package (a module with modules in it) by name."""
    found: dict[str, Path] = {}
    for name in sorted(stdlib_module_names):
        spec = PathFinder.find_spec(name)
        if spec is not None and spec.origin is not None and spec.submodule_search_locations:
            found[name] = Path(spec.origin).parent
    return found


def write_broken_package(folder: Path) -> Path:
    """Write a package with a file that does not parse, and return its folder."""
    package = folder / BROKEN
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "unfinished.py").write_text(BROKEN_SOURCE)
    return package
