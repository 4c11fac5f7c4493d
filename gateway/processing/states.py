"""From what a technician wrote of texts, bits and alarms, checked before, to what the stages work with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gateway.processing.engineering import published_difference, published_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.connection import AlarmConfig, ValueConfig
    from gateway.model import Value

Words = tuple[tuple[int, str], ...]
"""Number and text, in the order of the numbers."""


class AlarmSeverity(StrEnum):
    """How urgent an alarm is: the four priorities of ANSI/ISA-18.2."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A state of one tag that somebody has to know of. One of `above`, `below`, `equals` and `bit` is not None."""

    id: str
    """`tag.alarm`, unlike any other of the device."""
    tag: str
    above: float | None = None
    below: float | None = None
    equals: Value | None = None
    bit: int | None = None
    hysteresis: float = 0.0
    """How far a value comes back over the limit before the alarm ends, in the tag's unit."""
    delay_ns: int = 0
    """How long it lasts before the alarm begins."""
    off_delay_ns: int = 0
    """How long it is over before the alarm ends."""
    severity: AlarmSeverity = AlarmSeverity.MEDIUM
    latching: bool = False
    """It ends only after somebody has acknowledged it."""
    text: str = ""


def texts_of(config: ValueConfig) -> Words:
    """The texts of an enumeration."""
    return _words(config.texts)


def bits_of(config: ValueConfig) -> Words:
    """The names of bits."""
    return _words(config.bits)


def alarms_of(tag: str, config: ValueConfig) -> tuple[Alarm, ...]:
    """The alarms of one tag, in the order of the file."""
    return tuple(_alarm(tag, name, alarm, config) for name, alarm in config.alarms.items())


_NS: Final = 1_000_000_000


def _words(words: Mapping[str, str]) -> Words:
    return tuple(sorted((int(number), text) for number, text in words.items()))


def _alarm(tag: str, name: str, config: AlarmConfig, owner: ValueConfig) -> Alarm:
    return Alarm(
        id=f"{tag}.{name}",
        tag=tag,
        above=published_limit(owner, config.above),
        below=published_limit(owner, config.below),
        equals=_number(config.equals, owner.texts),
        bit=_bit(config.bit, owner.bits),
        hysteresis=published_difference(owner, config.hysteresis),
        delay_ns=round(config.delay_s * _NS),
        off_delay_ns=round(config.off_delay_s * _NS),
        severity=AlarmSeverity(config.severity),
        latching=config.ends == "when_acknowledged",
        text=config.text or _text(tag, config, owner),
    )


def _number(state: Value | None, texts: Mapping[str, str]) -> Value | None:
    """The number that a text stands for; anything else stands for itself."""
    return next((int(number) for number, text in texts.items() if text == state), state)


def _bit(bit: int | str | None, names: Mapping[str, str]) -> int | None:
    if not isinstance(bit, str):
        return bit
    return next(int(number) for number, name in names.items() if name == bit)


def _text(tag: str, config: AlarmConfig, owner: ValueConfig) -> str:
    unit = f" {owner.unit}" if owner.unit else ""
    if config.above is not None:
        return f"{tag} is above {config.above:g}{unit}"
    if config.below is not None:
        return f"{tag} is below {config.below:g}{unit}"
    if config.bit is not None:
        return f"{tag}: {_named(config.bit, owner.bits)}"
    return f"{tag} is {_named(config.equals, owner.texts)}"


def _named(state: Value | None, names: Mapping[str, str]) -> str:
    if isinstance(state, bool):
        state = names.get(str(int(state)), "on" if state else "off")
    return names.get(str(state), str(state))
