"""A new connection file, written from answers: only what was answered stands in it, each key with what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.config.files import example_folder
from gateway.config.models import allowed_at, choices_at, field_at
from gateway.config.table_values import value_of
from gateway.config.yaml_edit import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from gateway.driver import DriverSpec, Question

_SCHEMA_LINE: Final = "# yaml-language-server: $schema={}/schema/connection-{}.schema.json"

TAG_KEYS: Final = ("address", "type", "order", "unit")
"""Keys that come first in a tag, in this order."""


class Asked(NamedTuple):
    """One question as a person reads it."""

    key: str
    text: str
    default: str | None
    """What no answer means, where there is such a thing."""
    choices: tuple[str, ...]
    needed: bool


@dataclass
class Draft:
    """The answers so far."""

    spec: DriverSpec
    connection: dict[str, Any] = field(default_factory=dict)
    device_name: str = ""
    device: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, dict[str, Any]] = field(default_factory=dict)

    def questions(self, of: str) -> Iterator[Asked]:
        """What is asked at this level, in the light of the answers so far."""
        model = self.model(of)
        for question in self.spec.questions:
            if question.of == of and self._applies(question):
                yield asked(model, question.key)

    def model(self, of: str) -> type[BaseModel]:
        """The driver's model of a connection, device or tag."""
        models = {"connection": self.spec.connection, "device": self.spec.device, "tag": self.spec.tag}
        return models[of]

    def text(self) -> str:
        """The file, each key of the connection and the device with its meaning behind it."""
        lines = [_SCHEMA_LINE.format(example_folder(), self.spec.name), "version: 1", f"driver: {self.spec.name}"]
        lines += [self._line(self.spec.connection, key, value, "") for key, value in self.connection.items()]
        lines += ["", "devices:", f"  {yaml_text(self.device_name)}:"]
        lines += [self._line(self.spec.device, key, value, "    ") for key, value in self.device.items()]
        lines += ["    tags:"]
        lines += [f"      {yaml_text(name)}: {yaml_text(_ordered(tag))}" for name, tag in self.tags.items()]
        return "\n".join(lines) + "\n"

    def _line(self, model: type[BaseModel], key: str, value: Any, indent: str) -> str:
        written = f"{indent}{key}: {yaml_text(value)}"
        return f"{written:<38}  # {_first_sentence(asked(model, key).text)}"

    def _applies(self, question: Question) -> bool:
        if question.only is None:
            return True
        key, values = question.only
        declared = field_at(self.spec.connection, (key,))
        default = declared.default if declared is not None else None
        return self.connection.get(key, default) in values


def asked(model: type[BaseModel], key: str) -> Asked:
    """The question for a key of a model."""
    declared = field_at(model, (key,))
    assert declared is not None, f"{model.__name__} has no key {key}"
    default = None if declared.is_required() or declared.default is None else yaml_text(declared.default)
    choices = tuple(str(choice) for choice in choices_at(model, (key,)))
    if not choices and bool in allowed_at(model, (key,)):
        choices = ("true", "false")
    return Asked(key, declared.description or key, default, choices, declared.is_required())


def answered(model: type[BaseModel], key: str, text: str) -> Any:
    """An answer as the value that stands in the file; what does not fit stays text, and the check says so."""
    return value_of(text, model, (key,), decimal_comma=False).value


def _ordered(tag: dict[str, Any]) -> dict[str, Any]:
    first = {key: tag[key] for key in TAG_KEYS if key in tag}
    return first | tag


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].partition(";")[0].rstrip(".")
