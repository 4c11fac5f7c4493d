"""What pydantic found, in a technician's words: one function for each kind of finding."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

from gateway.config.derived import InputName, TagName
from gateway.config.models import KEY, choices_at, field_at, keys_at
from gateway.config.problems import did_you_mean, nearest, quoted
from gateway.config.scalars import is_text, resolve
from gateway.config.schema import Secret, TopicLevel
from gateway.config.secrets import names_a_secret
from gateway.connection import Name
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

Steps = tuple[str | int, ...]

_FEW_KEYS = 10
"""So many valid keys still fit into a message."""
_SHORT = 80
"""Most characters of a description that still fits into a message."""


@dataclass(frozen=True)
class Finding:
    """One error of pydantic about one place of a file."""

    kind: str
    """pydantic's name of the error, such as `float_type`."""
    model: type[BaseModel]
    """The model of the whole file."""
    steps: Steps
    """pydantic's way to the place, from the top of the file."""
    path: Steps
    """The part of the way that stands in the file."""
    value: Any = None
    message: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The place as a message names it: the key, or the entry of a list."""
        last = self.path[-1] if self.path else "this file"
        return f"entry {last + 1} of {self.path[-2]}" if isinstance(last, int) else last

    @property
    def wants_type(self) -> bool:
        """Whether another type of value is wanted, rather than another value."""
        return self.kind in _WANTED

    @property
    def is_about_absent_key(self) -> bool:
        """Whether a key is missing that must be there, or whose default is refused."""
        about_default = self.kind in {"value_error", "assertion_error"} and self.path != self.steps
        return self.kind == "missing" or about_default

    @property
    def but(self) -> str:
        """The value as the end of a message names it; nothing where it may be a secret."""
        hidden = any(isinstance(step, str) and names_a_secret(step) for step in self.path)
        return "" if hidden else f", not {found(self.value)}"


class Words(NamedTuple):
    """A message without its place."""

    text: str
    hint: str | None = None
    code: str = Code.BAD_FORM


def found(value: object) -> str:
    """What stands in a file, as a message names it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    return "a group of keys" if isinstance(value, dict) else "a list"


def words_for(finding: Finding) -> Words:
    """The message for one finding that is not about the type of a value."""
    if KEY in finding.steps:
        return _name(finding)
    wording = _WORDING.get(finding.kind)
    return wording(finding) if wording else Words(f"{finding.label}: {finding.message}")


def wrong_type(findings: Sequence[Finding]) -> Words:
    """The message for a value that is of none of the types that may stand in its place."""
    first = findings[0]
    wanted = list(dict.fromkeys(_wanted(finding) for finding in findings))
    return Words(f"{first.label} must be {' or '.join(wanted)}{first.but}", _type_hint(first), Code.WRONG_TYPE)


_UNITS: Final = {"_s": "seconds", "_ms": "milliseconds", "_us": "microseconds", "_mb": "megabytes", "_hz": "hertz"}
"""The unit that the end of a key names."""

_WANTED: Final = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "bool_type": "true or false",
    "dict_type": "a group of keys",
    "model_type": "a group of keys",
    "model_attributes_type": "a group of keys",
    "list_type": "a list such as [1, 2]",
    "tuple_type": "a list such as [1, 2]",
}
"""What the kinds of finding about types want."""

_NUMBERS = frozenset({"float_type", "int_type", "int_from_float"})


def _wanted(finding: Finding) -> str:
    wanted = _WANTED[finding.kind]
    last = finding.path[-1] if finding.path else ""
    unit = next((unit for end, unit in _UNITS.items() if str(last).endswith(end)), None)
    return f"{wanted} of {unit}" if unit and finding.kind in _NUMBERS else wanted


def _type_hint(finding: Finding) -> str | None:
    value = finding.value
    if finding.kind == "string_type" and isinstance(value, int | float):
        return "put it in quotes" if isinstance(value, bool) else f'put it in quotes: "{value}"'
    if finding.kind in _NUMBERS and isinstance(value, str):
        return _number_hint(value)
    return None


def _number_hint(text: str) -> str | None:
    if isinstance(resolve(text).value, int | float):
        return "remove the quotes"
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", text):
        return f"write a decimal point: {text.replace(',', '.')}"
    if re.fullmatch(r"[-+]?[0-9.]+ ?[A-Za-z%°]+", text):
        return "write the number alone, without a unit"
    return None


def _unknown_key(finding: Finding) -> Words:
    key = str(finding.steps[-1])
    valid = keys_at(finding.model, finding.steps[:-1])
    few = f"valid keys: {', '.join(valid)}" if valid and len(valid) <= _FEW_KEYS else None
    return Words(f"unknown key {quoted(key)}", did_you_mean(key, valid) or few, Code.UNKNOWN_KEY)


def _missing_key(finding: Finding) -> Words:
    key = finding.steps[-1]
    inside = f" in {finding.label}" if finding.path else ""
    choices = choices_at(finding.model, finding.steps)
    declared = field_at(finding.model, finding.steps)
    hint = f"write {key}: {_written(choices[0])}" if len(choices) == 1 else _short_description(declared)
    return Words(f"the key {quoted(key)} is missing{inside}", hint, Code.MISSING_KEY)


def _short_description(declared: FieldInfo | None) -> str | None:
    description = (declared.description or "").rstrip(".") if declared else ""
    return description if 0 < len(description) <= _SHORT else None


def _limit(words: str, bound: str) -> Callable[[Finding], Words]:
    def wording(finding: Finding) -> Words:
        limit = f"{finding.context[bound]:.15g}"
        found_number = found(finding.value).removeprefix("the number ")
        return Words(f"{finding.label} must be {words} {limit}, not {found_number}", code=Code.OUT_OF_LIMITS)

    return wording


def _choice(finding: Finding) -> Words:
    choices = choices_at(finding.model, finding.steps)
    listed = ", ".join(_written(choice) for choice in choices)
    text = f"{finding.label} must be {'one of ' if len(choices) > 1 else ''}{listed}{finding.but}"
    return Words(text, _choice_hint(finding.value, choices), Code.NO_CHOICE)


def _choice_hint(value: object, choices: Sequence[str | int]) -> str | None:
    for choice in choices:
        if str(choice) == str(value):
            return f"write {_written(choice)}, in quotes" if isinstance(choice, str) else "remove the quotes"
    near = nearest(value, (str(choice) for choice in choices)) if isinstance(value, str) else None
    return f"did you mean {near}?" if near else None


def _written(choice: str | int) -> str:
    """A choice as it must stand in the file."""
    return f'"{choice}"' if isinstance(choice, str) and not is_text(choice) else str(choice)


_PATTERNS: Final = {
    get_args(TopicLevel)[1].pattern: "be one level of an MQTT topic: no space, no /, + or #, at most 64 characters",
    get_args(Name)[1].pattern: "consist of letters, digits, _ and -, at most 63, and begin with a letter or digit",
    get_args(TagName)[1].pattern: "name a tag and its device, such as press-12.oil_temperature",
    get_args(InputName)[1].pattern: "consist of letters, digits and _, at most 32, and not begin with a digit",
    Secret.model_fields["secret"].metadata[0].pattern: "be the name of a secret: letters, digits, '.', _ and -",
}
"""The patterns of the core, in words."""


def _name(finding: Finding) -> Words:
    name = str(finding.steps[-2])
    rule = _PATTERNS.get(finding.context.get("pattern"), "be a valid name")
    if re.fullmatch(r"_[A-Za-z0-9_-]{0,62}", name):
        return Words(f"{quoted(name)} begins with _, which is kept for the gateway's own names", code=Code.BAD_NAME)
    return Words(f"the name {quoted(name)} must {rule}", code=Code.BAD_NAME)


def _pattern(finding: Finding) -> Words:
    pattern = finding.context.get("pattern")
    if pattern in _PATTERNS:
        return Words(f"{finding.label} must {_PATTERNS[pattern]}{finding.but}")
    declared = field_at(finding.model, finding.steps)
    return Words(f"{finding.label} must be of the right form{finding.but}", _short_description(declared))


def _too_few(finding: Finding) -> Words:
    least, present = finding.context["min_length"], finding.context.get("actual_length")
    if not present:
        text = f"{finding.label} is empty; it must have at least {_count(least, 'entry', 'entries')}"
    else:
        text = f"{finding.label} must have at least {_count(least, 'entry', 'entries')}, not {present}"
    return Words(text, code=Code.WRONG_COUNT)


def _too_many(finding: Finding) -> Words:
    most = _count(finding.context["max_length"], "entry", "entries")
    text = f"{finding.label} must have at most {most}, not {finding.context.get('actual_length')}"
    return Words(text, code=Code.WRONG_COUNT)


def _text_length(words: str, bound: str) -> Callable[[Finding], Words]:
    def wording(finding: Finding) -> Words:
        count = _count(finding.context[bound], "character", "characters")
        return Words(f"{finding.label} must have {words} {count}", code=Code.WRONG_COUNT)

    return wording


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _own_text(finding: Finding) -> Words:
    return Words(str(finding.context.get("error", "")) or f"{finding.label} is not valid")


_WORDING: Final[Mapping[str, Callable[[Finding], Words]]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing_key,
    "greater_than": _limit("greater than", "gt"),
    "greater_than_equal": _limit("at least", "ge"),
    "less_than": _limit("less than", "lt"),
    "less_than_equal": _limit("at most", "le"),
    "literal_error": _choice,
    "string_pattern_mismatch": _pattern,
    "too_short": _too_few,
    "too_long": _too_many,
    "string_too_short": _text_length("at least", "min_length"),
    "string_too_long": _text_length("at most", "max_length"),
    "value_error": _own_text,
    "assertion_error": _own_text,
}
