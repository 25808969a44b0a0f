"""Form fields from the JSON Schema of a payload, and a payload from the submitted fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

import attrs
import msgspec

from ...errors import FieldError

Kind: TypeAlias = Literal["text", "integer", "number", "checkbox", "select", "json"]
Schema: TypeAlias = Mapping[str, Any]

PREFIX = "payload."
"""Prefix of payload fields, which keeps them apart from the other fields of the form."""

_KINDS: Mapping[str, Kind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "checkbox"}


@attrs.frozen(kw_only=True)
class Field:
    """One field; ``initial`` is its first value: a text, or one of the options."""

    name: str
    kind: Kind
    required: bool
    nullable: bool = False
    initial: Any = ""
    help: str = ""
    options: tuple[Any, ...] = ()
    limits: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    @property
    def html_name(self) -> str:
        """Return the name of the HTML element."""
        return PREFIX + self.name

    def read(self, text: str | None) -> Any:
        """Return the value; UNSET for an empty optional field."""
        if self.kind == "checkbox" and not self.nullable:
            return text is not None
        if text is None or text == "":
            if not self.required:
                return msgspec.UNSET
            if self.nullable:
                return None
            if self.kind != "text":
                raise FieldError(self.name, "Required.")
            return ""
        return self._convert(text)

    def _convert(self, text: str) -> Any:
        try:
            match self.kind:
                case "integer":
                    return int(text)
                case "number":
                    return float(text)
                case "checkbox":
                    return text == "on"
                case "json":
                    return msgspec.json.decode(text)
                case "select":
                    return dict(enumerate(self.options))[int(text)]
                case _:
                    return text
        except (ValueError, LookupError, RecursionError) as error:
            raise FieldError(self.name, f"Invalid {'JSON' if self.kind == 'json' else self.kind}: {error}") from error


def fields_of(schema: Schema | None) -> tuple[Field, ...] | None:
    """Return the fields for the schema of an object; None for other schemas, whose payload is entered as JSON."""
    if schema is None:
        return None
    definitions = cast("Mapping[str, Schema]", schema.get("$defs", {}))
    found, _ = _resolved(schema, definitions)
    properties = found.get("properties")
    if found.get("type") != "object" or not isinstance(properties, Mapping):
        return None
    required = set(found.get("required", ()))
    return tuple(
        _field(name, part, name in required, definitions)
        for name, part in cast("Mapping[str, Schema]", properties).items()
    )


def payload_of(fields: Sequence[Field], form: Mapping[str, str]) -> dict[str, Any]:
    """Return the payload of a submitted form; raises ``FieldError`` for the first invalid field."""
    values = {field.name: field.read(form.get(field.html_name)) for field in fields}
    return {name: value for name, value in values.items() if value is not msgspec.UNSET}


def _resolved(schema: Schema, definitions: Mapping[str, Schema]) -> tuple[Schema, bool]:
    """Resolve references and unions with null; return the schema and whether null is allowed."""
    nullable = False
    for _ in range(10):
        if "$ref" in schema:
            schema = definitions.get(str(schema["$ref"]).rpartition("/")[2], {})
            continue
        sides = schema.get("anyOf")
        if not isinstance(sides, list):
            break
        others = [side for side in cast("list[Schema]", sides) if side.get("type") != "null"]
        nullable = nullable or len(others) < len(cast("list[Schema]", sides))
        if len(others) != 1:
            break
        schema = others[0]
    return schema, nullable


def _field(name: str, schema: Schema, required: bool, definitions: Mapping[str, Schema]) -> Field:
    found, nullable = _resolved(schema, definitions)
    default = schema.get("default", found.get("default", msgspec.UNSET))
    shared: dict[str, Any] = {
        "name": name,
        "required": required,
        "nullable": nullable,
        "help": str(schema.get("description") or found.get("description") or ""),
    }
    if "enum" in found:
        options: list[Any] = found["enum"]
        return Field(kind="select", options=tuple(options), initial=default, **shared)
    kind = _KINDS.get(str(found.get("type")), "json")
    if kind == "checkbox" and nullable:
        return Field(kind="json", initial=_json_of(default), **shared)
    limits = {
        attribute: found[keyword]
        for keyword, attribute in (
            ("minimum", "min"),
            ("maximum", "max"),
            ("minLength", "minlength"),
            ("maxLength", "maxlength"),
        )
        if isinstance(found.get(keyword), int | float)
    }
    if kind == "text":
        initial = default if isinstance(default, str) else ""
        if found.get("format") is not None:
            shared["help"] = f"{shared['help']} ({found['format']})".strip()
        return Field(kind=kind, initial=initial, limits=limits, **shared)
    if kind == "checkbox":
        return Field(kind=kind, initial="on" if default is True else "", **shared)
    return Field(kind=kind, initial=_json_of(default), limits=limits, **shared)


def _json_of(value: Any) -> str:
    return "" if value is msgspec.UNSET or value is None else msgspec.json.encode(value).decode()
