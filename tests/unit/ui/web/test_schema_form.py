from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, TypedDict

import attrs
import msgspec
import pytest

from tetherpy.ui.errors import FieldError
from tetherpy.ui.web.pages.schema_form import fields_of, payload_of


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Everything:
    name: str
    count: Annotated[int, msgspec.Meta(ge=1, le=9, description="how many")]
    share: float = 0.5
    loud: bool = False
    colour: Colour = Colour.BLUE
    size: Literal[1, 2] = 2
    note: str | None = None
    maybe: bool | None = None
    tags: list[str] = attrs.Factory(list)
    when: datetime | None = None
    other: int | str = 3


class Typed(TypedDict):
    message: str


@dataclass
class Nested:
    inner: Typed
    names: dict[str, int] = field(default_factory=dict)


def form(**values):
    return {f"payload.{name}": value for name, value in values.items()}


def fields(annotation):
    return fields_of(msgspec.json.schema(annotation))


def test_each_type_has_its_input():
    found = {each.name: each for each in fields(Everything)}
    assert {name: each.kind for name, each in found.items()} == {
        "name": "text",
        "count": "integer",
        "share": "number",
        "loud": "checkbox",
        "colour": "select",
        "size": "select",
        "note": "text",
        "maybe": "json",
        "tags": "json",
        "when": "text",
        "other": "json",
    }
    assert [name for name, each in found.items() if each.required] == ["name", "count"]
    assert (found["count"].limits, found["count"].help) == ({"min": 1, "max": 9}, "how many")
    assert (found["share"].initial, found["colour"].initial, found["size"].options) == ("0.5", "blue", (1, 2))


def test_a_filled_form_gives_the_payload_that_the_handler_decodes():
    found = fields(Everything)
    given = form(
        name="a", count="3", share="0.25", loud="on", colour="0", size="1", note="", maybe="true", tags='["x"]'
    )
    payload = payload_of(found, given)
    decoded = msgspec.convert(payload, Everything)
    assert decoded == Everything(
        name="a",
        count=3,
        share=0.25,
        loud=True,
        colour=Colour(found[4].options[0]),
        size=found[5].options[1],
        maybe=True,
        tags=["x"],
    )


def test_omitted_fields_use_the_defaults_of_the_handler():
    assert payload_of(fields(Everything), form(name="", count="1")) == {"name": "", "count": 1, "loud": False}


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"name": "a"}, "count"),
        ({"name": "a", "count": "1.5"}, "count"),
        ({"name": "a", "count": "1", "share": "much"}, "share"),
        ({"name": "a", "count": "1", "tags": "[1"}, "tags"),
        ({"name": "a", "count": "1", "colour": "7"}, "colour"),
        ({"name": "a", "count": "1", "colour": "red"}, "colour"),
        ({"name": "a", "count": "1", "tags": "[" * 100_000}, "tags"),
        ({"name": "a", "count": "9" * 5000}, "count"),
    ],
)
def test_an_invalid_field_is_named(values, name):
    with pytest.raises(FieldError) as raised:
        payload_of(fields(Everything), form(**values))
    assert raised.value.field == name


def test_a_nested_object_is_entered_as_json():
    found = fields(Nested)
    assert [each.kind for each in found] == ["json", "json"]
    assert payload_of(found, form(inner='{"message": "hi"}')) == {"inner": {"message": "hi"}}


def test_an_optional_object_has_the_inputs_of_the_object():
    assert [each.name for each in fields(Typed | None)] == ["message"]


@pytest.mark.parametrize("annotation", [Any, dict, dict[str, int], list[int], int, str | None, Typed | list[int]])
def test_an_object_with_unknown_fields_is_entered_as_json(annotation):
    assert fields(annotation) is None


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {},
        {"$ref": "#/$defs/Missing"},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
        {"anyOf": []},
        {"type": "object", "properties": []},
    ],
)
def test_invalid_schemas_cause_no_error(schema):
    assert fields_of(schema) is None


@pytest.mark.parametrize("chosen", ["-1", "2", "9" * 5000, "red", "1.0"])
def test_a_choice_must_be_one_of_the_options(chosen):
    fields = fields_of(msgspec.json.schema(Everything))
    with pytest.raises(FieldError) as raised:
        payload_of(fields, {"payload.name": "a", "payload.count": "1", "payload.colour": chosen})
    assert raised.value.field == "colour"
