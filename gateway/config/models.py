"""Finds in the models what a place of a file may hold: which keys, which choices, which description."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic.fields import FieldInfo

KEY: Final = "[key]"
"""How pydantic says, after the key of a mapping, that the key itself is wrong and not its value."""


def allowed_at(model: type[BaseModel], steps: Sequence[str | int]) -> list[Any]:
    """The types that may stand where the steps lead to, None left out; empty where the steps lead nowhere.

    A step that fits nowhere is passed over: pydantic also names the member of a union that it tried.
    """
    allowed: list[Any] = [model]
    for step in steps:
        allowed = [inner for one in allowed for inner in _inside(one, step)] or allowed
    return allowed


def field_at(model: type[BaseModel], steps: Sequence[str | int]) -> FieldInfo | None:
    """The declaration of the last key of the steps that a model declares."""
    found = None
    allowed: list[Any] = [model]
    for step in steps:
        found = next((fields_of(one)[step] for one in allowed if step in fields_of(one)), found)
        allowed = [inner for one in allowed for inner in _inside(one, step)] or allowed
    return found


def keys_at(model: type[BaseModel], steps: Sequence[str | int]) -> list[str]:
    """The keys that the models at this place know, in the order of their declaration."""
    keys = [str(key) for one in allowed_at(model, steps) for key in fields_of(one)]
    return list(dict.fromkeys(keys))


def choices_at(model: type[BaseModel], steps: Sequence[str | int]) -> list[str | int]:
    """The values among which one is to be chosen at this place; empty where it is no choice."""
    literals = [one for one in allowed_at(model, steps) if get_origin(one) is Literal]
    return [choice for literal in literals for choice in get_args(literal)]


def fields_of(annotation: Any) -> Mapping[str | int, FieldInfo]:
    """The declared keys of a model by the name that stands in the file; empty for anything else."""
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return {}
    return {field.alias or name: field for name, field in annotation.model_fields.items()}


def alternatives(annotation: Any) -> Iterator[Any]:
    """The types that an annotation stands for: unions taken apart, None left out."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from alternatives(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for member in get_args(annotation):
            yield from alternatives(member)
    elif hasattr(annotation, "__value__"):  # `type X = ...`
        yield from alternatives(annotation.__value__)
    elif annotation is not NoneType:
        yield annotation


def _inside(annotation: Any, step: str | int) -> Iterator[Any]:
    field = fields_of(annotation).get(step)
    if field is not None:
        yield from alternatives(field.annotation)
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict and isinstance(step, str):
        yield from alternatives(arguments[1])
    elif origin in {list, tuple} and isinstance(step, int):
        yield from alternatives(arguments[0])
