"""YAML as nodes that know their place. What is no plain tree of mappings and scalars is an error.

ruamel.yaml tells one event after the other, and nothing is ever constructed from a tag. Whatever would make a small
file large or deep (anchors, nesting) is refused when it is met, before more is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Any, NoReturn, TypeAlias

import attrs
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode

from .source_text import Place, Source

DEEPEST = 10
"""Levels of nesting; settings have three."""

_TAG = "tag:yaml.org,2002:"
_KINDS = {"str": "text", "int": "a number", "float": "a number", "bool": "true or false", "null": "nothing"}
_PROBLEMS = {
    "mapping values are not allowed here": (
        "No key can be here. Put a text with ': ' in it in quotes, and see that the line above is indented as it "
        "should be and has its ':'."
    ),
    "expected <block end>": "This is not indented as the keys above it are.",
    "expected '<document start>'": "What stands before this is no key. Settings are keys with values: 'generation:'...",
    "found unexpected end of stream": "The file ends inside a text in quotes. Close them.",
    "found character": "A text cannot begin with this character. Put it in quotes.",
}
"""How the reader's complaints begin, and what they mean to somebody who writes settings."""


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


def read_document(source: Source) -> Node:
    """Return the one document of a file; raises ``SettingsError`` for whatever is wrong with it."""
    return _Composer(source).document()


class _Composer:
    """Make nodes of events."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._yaml: Any = YAML(typ="safe", pure=True)
        self._events = self._parse()

    def document(self) -> Node:
        next(self._events)  # of the stream
        start = next(self._events)
        if not _is(start, DocumentStartEvent):
            raise self._source.at(0, 0).error("The file is empty. Begin with 'generation:'.")
        if start.version or start.tags:
            raise self._place(start).error("Directives (%YAML, %TAG) are not supported here. Remove them.")
        root = self._node(next(self._events), 1)
        next(self._events)  # the document's end
        if _is(second := next(self._events), DocumentStartEvent):
            raise self._place(second).error("A second document begins here. Keep one.")
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
            # Numbers in escapes and directives that Python cannot hold.
            place = self._source.at(0, 0) if end is None else self._source.at(end.line, end.column)
            raise place.error("What follows has a number that is too large.") from error

    def _node(self, event: Any, depth: int) -> Node:
        place = self._place(event)
        if event.anchor:
            raise place.error("Anchors and aliases are not supported here. Write the value out.")
        if event.tag:
            raise place.error("Tags are not supported here. Write the value alone.")
        if depth > DEEPEST:
            raise place.error("This is nested too deeply.")
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
                raise key.place.error(f"A key is a word, and this is {key}.")
            if (first := entries.get(key.text)) is not None:
                raise key.place.error(f"{key.text!r} was given in line {first.place.line} already.")
            value = self._node(next(self._events), depth + 1)
            if isinstance(value, Scalar) and not value.text and value.tag == "null":
                # YAML has what is not there begin with whatever comes next, a line or more further down.
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
            raise place.error("YAML is indented with spaces, and this is a tab.") from error
        problem = str(error.problem or error.context)
        told = next((text for start, text in _PROBLEMS.items() if problem.startswith(start)), None)
        raise place.error(told or f"{problem[:1].upper()}{problem[1:]}.") from error


def _is(event: Any, kind: type[object]) -> bool:
    # Not narrowing: what a class of ruamel.yaml has is unknown to type checkers.
    return isinstance(event, kind)
