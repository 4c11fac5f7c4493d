"""What must hold for the texts of an enumeration, the names of bits, and the alarms of one tag."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.config.problems import Problem, Severity, did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.config.document import Document, Step
    from gateway.connection import AlarmConfig, ValueConfig

CONDITIONS: Final = ("above", "below", "equals", "bit")
"""The keys of which an alarm has exactly one."""

MOST_BITS: Final = 64
"""No whole number that a device holds is wider."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,19}")


def state_rules(document: Document, steps: Sequence[Step], tag: ValueConfig) -> Iterator[Problem]:
    """What is wrong with `texts`, `bits` and `alarms` of the tag that the steps lead to."""
    yield from _texts(document, steps, tag)
    yield from _bits(document, steps, tag)
    for name, alarm in tag.alarms.items():
        yield from _alarm(document, (*steps, "alarms", name), tag, alarm)
    yield from _overlapping(document, steps, tag)


def _texts(document: Document, steps: Sequence[Step], tag: ValueConfig) -> Iterator[Problem]:
    numbers: dict[str, str] = {}
    for number, text in tag.texts.items():
        place = document.key_place((*steps, "texts", number))
        if not _NUMBER.fullmatch(number):
            yield document.problem(place, f"{quoted(number)} must be the whole number that the text stands for")
        elif tag.data_type() == "bool" and number not in {"0", "1"}:
            yield document.problem(place, "a bool has the numbers 0 and 1 only")
        elif text in numbers:
            yield document.problem(place, f"{quoted(text)} already stands for {numbers[text]}")
        numbers.setdefault(text, number)
    if tag.texts and tag.holds_text():
        text = "texts has no effect on a tag that holds text"
        yield document.problem(document.key_place((*steps, "texts")), text, severity=Severity.WARNING)


def _bits(document: Document, steps: Sequence[Step], tag: ValueConfig) -> Iterator[Problem]:
    names: dict[str, str] = {}
    for number, name in tag.bits.items():
        place = document.key_place((*steps, "bits", number))
        if not number.isdecimal() or int(number) >= MOST_BITS:
            yield document.problem(place, f"{quoted(number)} must be the number of a bit, 0 to {MOST_BITS - 1}")
        elif name in names:
            yield document.problem(place, f"{quoted(name)} is already the name of bit {names[name]}")
        names.setdefault(name, number)
    if tag.bits and not tag.holds_numbers():
        yield document.problem(document.key_place((*steps, "bits")), f"a tag of type {tag.data_type()} has no bits")


def _alarm(document: Document, steps: Sequence[Step], tag: ValueConfig, alarm: AlarmConfig) -> Iterator[Problem]:
    given = [key for key in CONDITIONS if getattr(alarm, key) is not None]
    if len(given) != 1:
        said = f"not {' and '.join(given)}" if given else "and has none"
        text = f"alarm {quoted(steps[-1])} needs one of above, below, equals and bit, {said}"
        yield document.problem(document.key_place(steps), text)
        return
    key = given[0]
    if key != "equals" and not tag.holds_numbers():
        text = f"a tag of type {tag.data_type()} cannot be compared by {key}"
        yield document.problem(document.key_place((*steps, key)), text, "write equals")
    if key not in {"above", "below"} and alarm.hysteresis:
        text = f"hysteresis has no effect on an alarm by {key}"
        yield document.problem(document.key_place((*steps, "hysteresis")), text, severity=Severity.WARNING)
    yield from _named(document, steps, tag, alarm)


def _named(document: Document, steps: Sequence[Step], tag: ValueConfig, alarm: AlarmConfig) -> Iterator[Problem]:
    """A state or a bit by a name that nobody gave it."""
    if isinstance(alarm.equals, str) and not tag.holds_text() and alarm.equals not in tag.texts.values():
        text = f"{quoted(alarm.equals)} is none of the texts of this tag"
        hint = did_you_mean(alarm.equals, tag.texts.values())
        yield document.problem(document.value_place((*steps, "equals")), text, hint)
    if isinstance(alarm.bit, str) and alarm.bit not in tag.bits.values():
        text = f"{quoted(alarm.bit)} is none of the bits of this tag"
        hint = did_you_mean(alarm.bit, tag.bits.values())
        yield document.problem(document.value_place((*steps, "bit")), text, hint)
    if isinstance(alarm.bit, int) and not 0 <= alarm.bit < MOST_BITS:
        text = f"bit must be from 0 to {MOST_BITS - 1}, not {alarm.bit}"
        yield document.problem(document.value_place((*steps, "bit")), text)


def _overlapping(document: Document, steps: Sequence[Step], tag: ValueConfig) -> Iterator[Problem]:
    """Limits the wrong way round: there is no value without alarm between them."""
    lows = [(alarm.below, name) for name, alarm in tag.alarms.items() if alarm.below is not None]
    for name, alarm in tag.alarms.items():
        if alarm.above is None or not lows or alarm.above >= max(lows)[0]:
            continue
        text = f"above {alarm.above:g} leaves no value without alarm: {quoted(max(lows)[1])} is below {max(lows)[0]:g}"
        yield document.problem(document.value_place((*steps, "alarms", name, "above")), text)
