"""Read the settings of a ``tether.yaml``; every error has a line and a column."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import attrs

from . import yaml_document
from .errors import SettingValueError
from .settings import BackgroundServices, Generation, JobDeclaration, Settings
from .source_text import Place, read_source
from .yaml_document import Node, Scalar, read_document

SETTINGS_FILE = "tether.yaml"
"""The name of the settings file of an app."""

A = TypeVar("A", bound=attrs.AttrsInstance)
Reader: TypeAlias = Callable[[Node], Any]


def read_settings(path: Path) -> Settings:
    """Read a ``tether.yaml``.

    Raises ``SettingsMissingError`` for a missing file, ``SettingsError`` for an invalid one, and ``OSError`` if it
    cannot be read.
    """
    return _object(read_document(read_source(path)), Settings, {"generation": _generation})


def _generation(node: Node) -> Generation:
    return _object(node, Generation, {"background_services": _background_services})


def _background_services(node: Node) -> BackgroundServices:
    return _object(
        node,
        BackgroundServices,
        {
            "enabled": _flag,
            "package": _text,
            "database_path": _text,
            "migrations": _text,
            "app_initialization_callback": _text,
            "initial_notification_title": _text,
            "initial_notification_content": _text,
            "log_level": _text,
            "log_format": _text,
            "job_logs": _flag,
            "jobs": _jobs,
        },
    )


def _object(node: Node, kind: type[A], readers: Mapping[str, Reader]) -> A:
    """Create an object from a mapping: the readers convert the values, the validators of the class check them."""
    fields = attrs.fields_dict(kind)
    values: dict[str, Any] = {}
    for entry in _mapping(node).entries:
        if entry.key not in readers:
            raise entry.place.error(_unknown(entry.key, list(readers)))
        value = values[entry.key] = readers[entry.key](entry.value)
        _check(entry.value.place, fields[entry.key], value)
    return kind(**values)


def _check(place: Place, field: attrs.Attribute[Any], value: object) -> None:
    """Run the validator of an attribute; raise its error for the place of the value."""
    if field.validator is not None:
        try:
            field.validator(None, field, value)
        except SettingValueError as error:
            raise place.error(str(error)) from error


def _mapping(node: Node) -> yaml_document.Mapping:
    if not isinstance(node, yaml_document.Mapping):
        raise node.place.error(f"Expected keys with values, found {node}.")
    return node


def _text(node: Node) -> str:
    if isinstance(node, Scalar) and node.tag == "str":
        return node.text
    hint = " Put it in quotes." if isinstance(node, Scalar) and node.text else ""
    raise node.place.error(f"Expected text, found {node}.{hint}")


def _flag(node: Node) -> bool:
    flags = {"true": True, "false": False}
    if isinstance(node, Scalar) and node.tag == "bool" and (flag := flags.get(node.text.lower())) is not None:
        return flag
    raise node.place.error(f"Expected true or false, found {node}.")


def _jobs(node: Node) -> tuple[JobDeclaration, ...]:
    jobs: dict[str, JobDeclaration] = {}
    fields = attrs.fields_dict(JobDeclaration)
    for entry in _mapping(node).entries:
        _check(entry.place, fields["key"], entry.key)
        untyped = isinstance(entry.value, Scalar) and entry.value.tag == "null"
        payload = None if untyped else _text(entry.value)
        _check(entry.value.place, fields["payload"], payload)
        job = JobDeclaration(entry.key, payload)
        if (other := jobs.get(job.function)) is not None:
            raise entry.place.error(f"{job.key!r} and {other.key!r} both generate {job.function}. Rename one.")
        jobs[job.function] = job
    return tuple(jobs.values())


def _unknown(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f"Unknown key {key!r}. " + (f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(known)}.")
