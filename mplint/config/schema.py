"""The JSON schema of the configuration, made from the types: `python -m mplint.config.schema` prints what is shipped."""

from __future__ import annotations

import inspect
import json
from typing import Any, get_args

import msgspec

from mplint.apis import Alias, Api, Kind, Parameter
from mplint.config.options import Options

_PARAMETER: dict[str, Any] = {
    "description": "Where an argument stands: its position (from 0), its keyword, or both.",
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string"},
        {"type": "array", "prefixItems": [{"type": ["integer", "null"]}, {"type": "string"}]},
        {"type": "object", "properties": {"position": {"type": "integer"}, "keyword": {"type": "string"}}, "additionalProperties": False},
    ],
}


def schema() -> dict[str, Any]:
    """The schema of the table `[tool.mplint]`, which is the whole of `mplint.toml`."""
    _, components = msgspec.json.schema_components([Options], ref_template="#/$defs/{name}")
    properties: dict[str, Any] = components["Options"]["properties"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of mplint",
        "description": Options.__doc__,
        "type": "object",
        "properties": {**properties, "api": {**properties["api"], "items": _row()}},
        "additionalProperties": False,
    }


def _row() -> dict[str, Any]:
    """A row of the API table: the columns of kinds, callables and aliases."""
    columns: dict[str, Any] = {}
    for cls in (Kind, Api, Alias):
        for field in msgspec.structs.fields(cls):
            columns.setdefault(field.name, _column(field.type))
    return {"type": "object", "properties": columns, "required": ["name"], "additionalProperties": False}


def _column(type_: Any) -> dict[str, Any]:
    if type_ == tuple[Parameter, ...]:
        return {"type": "array", "items": _PARAMETER}
    if type_ is Parameter or Parameter in get_args(type_):
        return _PARAMETER
    return msgspec.json.schema(type_)


def _dedented(value: Any) -> Any:
    """The same with descriptions that no Python indents: before 3.13 a docstring has the margin of its source."""
    if isinstance(value, dict):
        return {key: inspect.cleandoc(item) if key == "description" and isinstance(item, str) else _dedented(item) for key, item in value.items()}
    return [_dedented(item) for item in value] if isinstance(value, (list, tuple)) else value


def text() -> str:
    """The schema as it is shipped."""
    return json.dumps(_dedented(schema()), indent=2) + "\n"


if __name__ == "__main__":
    print(text(), end="")
