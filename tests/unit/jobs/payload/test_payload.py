import dataclasses
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path, PurePosixPath
from typing import TypedDict

import attrs
import msgspec
import numpy as np
import pytest

from tetherpy.jobs import (
    PayloadDecodeError,
    PayloadEncodeError,
    PayloadTooLargeError,
    decode,
    decode_as,
    encode,
)
from tetherpy.json_codec import find_undecodable


@attrs.frozen
class Address:
    city: str
    zip_code: int


@attrs.frozen
class Person:
    name: str
    address: Address


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5


class Greeting(TypedDict):
    message: str


class Packed(msgspec.Struct):
    tags: list[str]


class Plain:
    pass


class Level(IntEnum):
    HIGH = 10


ADA = Person("Ada", Address("London", 1815))


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ({"a": [1, None, True, 2.5, "ü"]}, dict),
        (ADA, Person),
        (Point(1), Point),
        ({"message": "hi"}, Greeting),
        (Packed(["a"]), Packed),
        ({1: "one"}, dict[int, str]),
        ("text", str),
        (3, int),
        (None, None),
        (None, Person | None),
        ("with \0 inside", str),
        ({"deep": {"er": {"est": []}}}, dict),
        (PurePosixPath("/a/b"), PurePosixPath),
        ({"files": [Path("x")]}, dict[str, list[Path]]),
    ],
)
def test_payloads_are_decoded_as_annotated(value, annotation):
    assert decode_as(encode(value), annotation) == value


def test_none_is_stored_as_sql_null_and_inside_a_value_as_json_null():
    assert encode(None) is None
    assert decode(None) is None
    assert encode([None]) == "[null]"


def test_subclasses_of_scalars_are_stored_as_plain_values():
    values = [np.float64(1.5), np.float32(0.25), np.int64(7), np.bool_(True), np.str_("a"), Level.HIGH, Path("b")]
    assert decode(encode(values)) == [1.5, 0.25, 7, True, "a", 10, "b"]
    assert decode(encode({np.int64(7): Path("x")})) == {"7": "x"}


def unawaited():
    async def result(): ...

    coroutine = result()
    coroutine.close()
    return coroutine


@attrs.frozen
class Nested:
    plain: list[Plain]


@attrs.frozen
class Lenient:
    path: Path
    cache: Plain | None = None


@pytest.mark.parametrize(
    "annotation", [Plain, Plain | None, list[Plain], dict[str, Nested], Nested, Person | Nested, complex]
)
def test_annotations_that_cannot_be_decoded_are_refused(annotation):
    assert find_undecodable(annotation)


@pytest.mark.parametrize(
    "annotation", [object, dict, Path | None, Lenient, Person, Point, Greeting, Packed, Iterable[int]]
)
def test_annotations_that_can_be_decoded_are_accepted(annotation):
    assert find_undecodable(annotation) is None


CYCLE: dict = {}
CYCLE["self"] = CYCLE


def nested(levels):
    value: list = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({"user": {"tags": ["a", object()]}}, "$.user.tags[1]", "object"),
        (float("nan"), "$", "nan"),
        ({"a": [1.0, float("inf")]}, "$.a[1]", "inf"),
        (Person("Ada", Address("\ud800", 1)), "$.address.city", "surrogate"),
        ({"ok": 1, "bad": "a\udfff"}, "$.bad", "surrogate"),
        ({"m": {(1, 2): 3}}, "$.m", "key (1, 2)"),
        ({"m": {None: 3}}, "$.m", "key None"),
        ({"\ud800": 1}, "$", "key"),
        (Point(lambda: 0), "$.x", "function"),
        (Packed([b"", 1j]), "$.tags[1]", "complex"),
        (CYCLE, "$.self.self.self.self.self.self...", "contains itself"),
        ({"a": [np.float32("nan")]}, "$.a[0]", "nan"),
        ([np.float64("inf")], "$[0]", "inf"),
        ({"rows": np.zeros(3)}, "$.rows", "ndarray"),
        ({"r": unawaited()}, "$.r", "forget await"),
        (nested(5000), "$[0][0][0][0][0][0]...", "too deeply"),
    ],
)
def test_a_value_that_json_cannot_encode_is_named_by_its_path(value, path, reason):
    with pytest.raises(PayloadEncodeError) as raised:
        encode(value)
    assert raised.value.path == path
    assert reason in raised.value.reason
    assert path in str(raised.value)


def test_null_values_do_not_hide_a_nan():
    assert encode({"a": None, "b": 1.5}) == '{"a":null,"b":1.5}'
    with pytest.raises(PayloadEncodeError):
        encode({"a": None, "b": float("nan")})


def test_moderate_nesting_is_accepted():
    assert decode(encode(nested(100))) == nested(100)


def test_the_size_limit_counts_bytes():
    assert encode("ü" * 4, 10) == '"üüüü"'
    with pytest.raises(PayloadTooLargeError) as raised:
        encode("ü" * 5, 10)
    assert (raised.value.size, raised.value.limit) == (12, 10)


@pytest.mark.parametrize(
    ("text", "annotation", "path"),
    [
        ('{"name":"Ada","address":{"city":1,"zip_code":2}}', Person, "$.address.city"),
        ('[{"x":1},{"x":"no"}]', list[Point], "$[1].x"),
        ("{}", Greeting, "$"),
        (None, Person, "$"),
        ('{"tags":null}', Packed, "$.tags"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_by_its_path(text, annotation, path):
    with pytest.raises(PayloadDecodeError) as raised:
        decode_as(text, annotation)
    assert raised.value.path == path


@pytest.mark.parametrize("text", ["", "{", "not json", '{"a":NaN}', '"\\ud800"', "[" * 100_000, "\ud800"])
def test_invalid_json_is_a_decode_error(text):
    with pytest.raises(PayloadDecodeError):
        decode(text)


def test_width_and_brackets_in_strings_do_not_count_as_depth():
    wide = [{"a": [1]} for _ in range(500)]
    assert decode(encode(wide)) == wide
    assert decode(encode("[" * 500)) == "[" * 500
    assert decode(encode(nested(100))) == nested(100)
