"""A YAML file as nodes that know their place. What is no plain tree of mappings and scalars is an error.

YAML itself is read with ruamel.yaml; nothing is ever constructed from a tag.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import attrs
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode
from ruamel.yaml.reader import ReaderError

from .errors import SettingsError, SettingsMissingError

LARGEST_FILE = 64 * 1024
"""Bytes; a longer file is none of ours."""

_TAG = "tag:yaml.org,2002:"
_KINDS = {"str": "text", "int": "a number", "float": "a number", "bool": "true or false", "null": "nothing"}


@attrs.frozen
class Place:
    """A place in a file; ``line`` and ``column`` count from 1."""

    path: Path
    line: int
    column: int

    def error(self, problem: str) -> SettingsError:
        """Return an error about this place."""
        return SettingsError(self.path, self.line, self.column, problem)


@attrs.frozen
class Scalar:
    """One value: its text, and what YAML takes it for (``str``, ``bool``, ``int``, ``float``, ``null``...)."""

    place: Place
    tag: str
    text: str

    def __str__(self) -> str:
        kind = _KINDS.get(self.tag, f"a {self.tag}")
        return f"{kind} ({self.text})" if self.text else kind


@attrs.frozen
class Entry:
    """One key of a mapping, and its value."""

    place: Place
    key: str
    value: Node


@attrs.frozen
class Mapping:
    """Keys with values; no key is there twice."""

    place: Place
    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        return "a mapping"


@attrs.frozen
class Sequence:
    """A list, of which nothing more is said: no setting is one."""

    place: Place

    def __str__(self) -> str:
        return "a list"


Node: TypeAlias = Scalar | Mapping | Sequence


def read_document(path: Path) -> Node:
    """Read a file.

    Raises ``SettingsMissingError`` if there is none, ``SettingsError`` for whatever is wrong with it, and
    ``OSError`` if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise SettingsMissingError(path) from error
    start = Place(path, 1, 1)
    if len(content) > LARGEST_FILE:
        raise start.error(f"The file is longer than {LARGEST_FILE} bytes. Is it the right one?")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise _after(path, content[: error.start].decode()).error("This is no UTF-8.") from error
    try:
        root: Any = YAML(typ="rt", pure=True).compose(text)  # pyright: ignore[reportUnknownMemberType]
        if root is None:
            raise start.error("The file is empty. Begin with 'generation:'.")
        return _node(path, root)
    except MarkedYAMLError as error:
        _refuse(path, text, error)
    except ReaderError as error:
        unread: Any = error
        raise _after(path, text[: unread.position]).error("This character is not allowed in YAML.") from error
    except (YAMLError, RecursionError) as error:
        raise start.error("This cannot be read as YAML: is it nested too deeply?") from error


def _after(path: Path, before: str) -> Place:
    return Place(path, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)


def _at(path: Path, mark: Any) -> Place:
    return Place(path, mark.line + 1, mark.column + 1)


def _node(path: Path, node: Any) -> Node:
    place = _at(path, node.start_mark)
    if node.anchor:
        raise place.error("Anchors are not supported here. Write the value out.")
    if isinstance(node, ScalarNode):
        found: Any = node
        return Scalar(place, str(found.tag).removeprefix(_TAG), found.value)
    if isinstance(node, MappingNode):
        return Mapping(place, _entries(path, node))
    return Sequence(place)


def _entries(path: Path, node: Any) -> tuple[Entry, ...]:
    entries: dict[str, Entry] = {}
    for key_node, value in node.value:
        key = _node(path, key_node)
        if not isinstance(key, Scalar):
            raise key.place.error(f"A key is a word, and this is {key}.")
        if (first := entries.get(key.text)) is not None:
            raise key.place.error(f"{key.text!r} was given in line {first.place.line} already.")
        found = _node(path, value)
        if isinstance(found, Scalar) and not found.text and found.tag == "null":
            # YAML has what is not there begin with whatever comes next, a line or more further down.
            found = attrs.evolve(found, place=key.place)
        entries[key.text] = Entry(key.place, key.text, found)
    return tuple(entries.values())


def _refuse(path: Path, text: str, error: Any) -> NoReturn:
    mark = error.problem_mark or error.context_mark
    place = Place(path, 1, 1) if mark is None else _at(path, mark)
    lines = text.split("\n")
    if place.line <= len(lines) and "\t" in lines[place.line - 1]:
        raise place.error("YAML is indented with spaces, and this line has a tab.") from error
    problem = str(error.problem or error.context or error)
    raise place.error(f"{problem[:1].upper()}{problem[1:]}.") from error
