"""Parse YAML to nodes with positions. Anything other than a tree of mappings and scalars is an error.

The parser works on the events of ruamel.yaml, and constructs no objects from tags. Anchors and deep nesting, which
expand small files, are rejected at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Any, NoReturn, TypeAlias

import attrs
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import CollectionEndEvent, DocumentStartEvent, MappingStartEvent, SequenceStartEvent
from ruamel.yaml.nodes import ScalarNode

from tetherpy.errors import clause

from .source_text import Place, Source

DEEPEST = 10
"""Levels of nesting; settings have three."""

_TAG = "tag:yaml.org,2002:"
_KINDS = {"str": "text", "int": "a number", "float": "a number", "bool": "true or false", "null": "nothing"}
_PROBLEMS = {
    "mapping values are not allowed here": (
        "Unexpected key. Put text that contains ': ' in quotes, and check the indentation and the ':' of the line "
        "above."
    ),
    "expected <block end>": "Indented differently from the keys above.",
    "expected '<document start>'": "Expected a key before this. Settings are keys with values, such as 'generation:'.",
    "found unexpected end of stream": "The file ends inside a quoted text. Close the quotes.",
    "found character": "Text cannot begin with this character. Put it in quotes.",
}
"""The beginnings of parser messages, and messages for users in their place."""


@attrs.frozen
class Scalar:
    """One value: its text, and its YAML type (``str``, ``bool``, ``int``, ``float``, ``null``...)."""

    place: Place
    tag: str
    text: str

    def __str__(self) -> str:
        kind = _KINDS.get(self.tag, f"a {self.tag}")
        return f"{kind} ({self.text})" if self.text else kind


@attrs.frozen
class Entry:
    """A key of a mapping, and its value."""

    place: Place
    key: str
    value: Node


@attrs.frozen
class Mapping:
    """Unique keys with values."""

    place: Place
    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        return "a mapping"


@attrs.frozen
class Sequence:
    """A list; its items are dropped, because no setting is a list."""

    place: Place

    def __str__(self) -> str:
        return "a list"


Node: TypeAlias = Scalar | Mapping | Sequence


def read_document(source: Source) -> Node:
    """Return the document of a file; raises ``SettingsError`` if it is invalid."""
    return _Composer(source).document()


class _Composer:
    """Builds nodes from parser events."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._yaml: Any = YAML(typ="safe", pure=True)
        self._events = self._parse()

    def document(self) -> Node:
        next(self._events)  # the start of the stream
        start = next(self._events)
        if not _is(start, DocumentStartEvent):
            raise self._source.at(0, 0).error("The file is empty. Begin with 'generation:'.")
        if start.version or start.tags:
            raise self._place(start).error("Directives (%YAML, %TAG) are not supported. Remove them.")
        root = self._node(next(self._events), 1)
        next(self._events)  # the end of the document
        if _is(second := next(self._events), DocumentStartEvent):
            raise self._place(second).error("Only one document is allowed. Remove the second.")
        return root

    def _parse(self) -> Iterator[Any]:
        end: Any = None
        try:
            for event in self._yaml.parse(self._source.text):
                end = event.end_mark
                yield event
        except MarkedYAMLError as error:
            self._refuse(error)
        except (ValueError, OverflowError) as error:
            # Escapes and directives can contain numbers that Python rejects.
            place = self._source.at(0, 0) if end is None else self._source.at(end.line, end.column)
            raise place.error("An escape or directive after this place contains a number that is too large.") from error

    def _node(self, event: Any, depth: int) -> Node:
        place = self._place(event)
        if event.anchor:
            raise place.error("Anchors and aliases are not supported. Write the value out.")
        if event.tag:
            raise place.error("Tags are not supported. Write only the value.")
        if depth > DEEPEST:
            raise place.error("Nested too deeply.")
        if _is(event, MappingStartEvent):
            return Mapping(place, self._entries(depth))
        if _is(event, SequenceStartEvent):
            for item in self._until_end():
                self._node(item, depth + 1)
            return Sequence(place)
        tag = self._yaml.resolver.resolve(ScalarNode, event.value, event.implicit)
        return Scalar(place, str(tag).removeprefix(_TAG), event.value)

    def _entries(self, depth: int) -> tuple[Entry, ...]:
        entries: dict[str, Entry] = {}
        for event in self._until_end():
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise key.place.error(f"Expected a word as key, found {key}.")
            if (first := entries.get(key.text)) is not None:
                raise key.place.error(f"Duplicate key {key.text!r}: it is already in line {first.place.line}.")
            value = self._node(next(self._events), depth + 1)
            if isinstance(value, Scalar) and not value.text and value.tag == "null":
                # YAML puts a missing value at the next token, which may be lines below.
                value = attrs.evolve(value, place=key.place)
            entries[key.text] = Entry(key.place, key.text, value)
        return tuple(entries.values())

    def _until_end(self) -> Iterator[Any]:
        return takewhile(lambda event: not _is(event, CollectionEndEvent), self._events)

    def _place(self, event: Any) -> Place:
        return self._source.at(event.start_mark.line, event.start_mark.column)

    def _refuse(self, error: Any) -> NoReturn:
        mark = error.problem_mark or error.context_mark
        place = self._source.at(mark.line, mark.column)
        if place.text[place.column - 1 :].startswith("\t") or place.text.startswith("\t"):
            raise place.error("Tab found. Indent with spaces.") from error
        problem = clause(str(error.problem or error.context))
        explained = next((text for start, text in _PROBLEMS.items() if problem.startswith(start)), None)
        raise place.error(explained or f"{problem[:1].upper() + problem[1:]}.") from error


def _is(event: Any, kind: type[object]) -> bool:
    # Without narrowing: ruamel.yaml has no types.
    return isinstance(event, kind)
