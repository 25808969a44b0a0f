"""Each package imports only the packages below it; imports for type checkers count too."""

from __future__ import annotations

from functools import cache

import pytest

from tests.laws.imports import ROOT, Import, imports_in, imports_of, is_ours, is_standard, modules, name_of, room

GROUND = (
    "closable",
    "errors",
    "event_wait",
    "facades",
    "iteration",
    "observables",
    "safe_text",
    "subscribers",
    "wait_queue",
)
"""Modules of one mechanism each that both columns of packages share; they import only each other."""

MAY_IMPORT = {
    **{module: set[str]() for module in GROUND},
    "arguments": {"errors"},
    "distribution": set(),
    "durations": {"errors"},
    "iteration": {"errors"},
    "json_codec": {"errors", "facades"},
    "observables": {"iteration"},
    "reactive": {*GROUND, "durations", "json_codec"},
    "database": {*GROUND, "arguments", "distribution", "durations"},
    "jobs": {*GROUND, "arguments", "distribution", "durations", "json_codec", "database"},
    "durable": {*GROUND, "arguments", "durations", "database", "jobs", "reactive"},
    "service": {*GROUND, "arguments", "durations", "json_codec", "database", "jobs", "reactive", "durable"},
}
"""The packages that each package may import; packages that are not named here stand above all of these."""

TOP = ("cli", "django", "fastapi", "generator", "starlette", "testing", "ui")
IN_THE_TOP = {"cli": {"generator", "ui"}, "fastapi": {"starlette"}}
"""The packages of the top that other packages of the top may import."""

BELOW_THE_TOP = set(MAY_IMPORT)

ALWAYS_LAZY = "reactivex"
ONLY_IN = {"aiosqlite": "database"}


@cache
def all_imports() -> list[Import]:
    return [found for name in modules() if name != "tetherpy" for found in imports_of(name)]


def told(broken: list[Import]) -> str:
    return "\n".join(map(str, broken))


@pytest.mark.parametrize("package", sorted({room(name) for name in modules()} - {""}))
def test_a_package_imports_only_packages_below_it(package: str) -> None:
    allowed = MAY_IMPORT.get(package, BELOW_THE_TOP | IN_THE_TOP.get(package, set[str]()))
    broken = [
        found
        for found in all_imports()
        if room(found.importer) == package and is_ours(found.target) and room(found.target) not in {package, *allowed}
    ]
    assert not broken, told(broken)


def test_every_package_has_its_layer() -> None:
    assert {room(name) for name in modules()} - {""} <= {*MAY_IMPORT, *TOP}


def test_outside_its_package_a_module_imports_only_facades() -> None:
    broken = [
        found
        for found in all_imports()
        if is_ours(found.target)
        and room(found.target) != room(found.importer)
        and found.target.count(".") > (2 if room(found.target) == "ui" else 1)
    ]
    assert not broken, told(broken)


def test_code_outside_the_library_imports_only_facades() -> None:
    broken = [
        found
        for folder in ("providers", "examples")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for found in imports_in(name_of(path), path)
        if is_ours(found.target) and found.target.count(".") > (2 if room(found.target) == "ui" else 1)
    ]
    assert not broken, told(broken)


def test_the_lowest_layer_imports_only_python_and_attrs() -> None:
    broken = [
        found
        for found in all_imports()
        if room(found.importer) == "reactive"
        and not (is_ours(found.target) or is_standard(found.target) or found.target == "attrs")
        and not (found.lazy or found.typing_only)
    ]
    assert not broken, told(broken)


@pytest.mark.parametrize("library", ONLY_IN)
def test_only_one_package_imports_the_database(library: str) -> None:
    broken = [
        found
        for found in all_imports()
        if found.target.split(".")[0] == library and room(found.importer) != ONLY_IN[library]
    ]
    assert not broken, told(broken)


def test_rx_is_imported_at_its_first_use() -> None:
    broken = [
        found
        for found in all_imports()
        if found.target.split(".")[0] == ALWAYS_LAZY and not (found.lazy or found.typing_only)
    ]
    assert not broken, told(broken)


def test_relative_absolute_lazy_and_typing_imports_are_found() -> None:
    found = {(f.target, f.lazy, f.typing_only) for name in modules() for f in imports_of(name)}
    assert ("tetherpy.reactive.graph.users", False, False) in found
    assert ("tetherpy.errors", False, False) in found
    assert ("reactivex", True, False) in found
    assert ("reactivex", False, True) in found
