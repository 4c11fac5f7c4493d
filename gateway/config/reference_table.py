"""Tables of all configuration keys in Markdown, made from the models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from gateway.config.derived import DerivedConfig
from gateway.config.models import alternatives, fields_of
from gateway.config.schema import GatewayConfig, Secret
from gateway.connection import ConnectionConfig, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic.fields import FieldInfo

    from gateway.driver import DriverSpec

_GROUP: Final = "group"
_ANY_NAME: Final = "<name>"
_NAMES: Final = {bool: "true or false", int: "whole number", float: "number", str: "text"}
_LIMITS: Final = (("gt", "above {}"), ("ge", "from {}"), ("lt", "below {}"), ("le", "to {}"))


@dataclass(frozen=True)
class Row:
    """One key of a file."""

    path: str
    """The keys down to it, joined by dots; `<name>` stands for a name that the technician gives."""
    value: str
    default: str
    meaning: str

    def __str__(self) -> str:
        cells = (f"`{self.path}`", self.value, self.default, self.meaning)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def reference(specs: Iterable[DriverSpec]) -> str:
    """The reference of all keys: gateway.yaml, what all connection files have in common, and each driver's own."""
    common = list(rows_of(ConnectionConfig))
    sections = [
        _section("gateway.yaml", rows_of(GatewayConfig)),
        _section("Every connection file", common),
        *(_driver_section(spec, common) for spec in specs),
        _section("derived.yaml", rows_of(DerivedConfig)),
    ]
    return "\n\n".join(sections)


def rows_of(model: type[BaseModel], path: str = "") -> Iterator[Row]:
    """The keys of a model and of the models in it, in the order of their declaration."""
    for key, field in fields_of(model).items():
        here = f"{path}{key}"
        yield Row(here, _value(field), _default(field), field.description or "")
        for inner, inner_path in _inner_models(field.annotation, here):
            yield from rows_of(inner, f"{inner_path}.")


def _section(title: str, rows: Iterable[Row], note: str = "") -> str:
    table = ["| key | value | default | meaning |", "| --- | --- | --- | --- |", *(str(row) for row in rows)]
    return "\n".join([f"### {title}", "", *([note, ""] if note else []), *table])


def _driver_section(spec: DriverSpec, common: list[Row]) -> str:
    groups = {row.path for row in common if row.value == _GROUP}
    own = [row for row in rows_of(spec.connection) if row not in common and row.path not in groups]
    own.sort(key=lambda row: row.path.count(_ANY_NAME))
    return _section(f"Driver {spec.name}", own, _timing_note(spec.connection.TIMING))


def _timing_note(timing: Timing) -> str:
    said = ", ".join(f"`{key}: {value:g}`" for key, value in timing.model_dump(exclude_none=True).items())
    return f"Timing where the file says nothing: {said}."


def _inner_models(annotation: Any, path: str) -> Iterator[tuple[type[BaseModel], str]]:
    for one in alternatives(annotation):
        if get_origin(one) is dict:
            yield from _inner_models(get_args(one)[1], f"{path}.{_ANY_NAME}")
        elif isinstance(one, type) and issubclass(one, BaseModel) and one is not Secret:
            yield one, path


def _value(field: FieldInfo) -> str:
    words = " or ".join(_type(one) for one in alternatives(field.annotation))
    lengths = {getattr(m, name) for name in ("min_length", "max_length") for m in field.metadata if hasattr(m, name)}
    if len(lengths) == 1 and words.startswith("list of "):
        return words.replace("list of ", f"list of {lengths.pop()} ")
    limits = [
        text.format(f"{getattr(m, name):g}") for name, text in _LIMITS for m in field.metadata if hasattr(m, name)
    ]
    return " ".join([words, *limits])


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is list:
        return f"list of {' or '.join(_plural(_type(one)) for one in alternatives(arguments[0]))}"
    if annotation is Secret:
        return "`{secret: NAME}`"
    return _NAMES.get(annotation, _GROUP)


def _plural(words: str) -> str:
    """Choices stay as they are written, and lists are counted themselves."""
    if words.startswith("list of "):
        return words.replace("list", "lists", 1)
    return words if words.endswith("`") else f"{words}s"


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "required"
    if default is None or default == "" or isinstance(default, BaseModel):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
