"""What holds in derived.yaml beyond what its models can say."""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

from gateway.config.chains import circle, in_order
from gateway.config.derived_names import (
    Known,
    SourceTag,
    formulas_of,
    rests_on,
    takes_of,
    windows_of,
    with_derived,
)
from gateway.config.document import Place
from gateway.config.problems import Severity, did_you_mean, quoted
from gateway.config.rules import reserved, value_rules
from gateway.config.span import Span, is_by_calendar
from gateway.formula.error import FormulaError
from gateway.formula.formula import formula_of
from gateway.formula.functions import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.config.derived import DerivedConfig, FormulaConfig, WindowConfig
    from gateway.config.document import Document, Step
    from gateway.config.problems import Problem
    from gateway.formula.formula import Formula

_LONGEST_NAME: Final = 63
_FEW_NAMES: Final = 10
_FOR_ANY_VALUE: Final = frozenset({"count", "last", "time_in_state"})
"""Takes that a text has too."""


class DerivedRules:
    """Checks one derived.yaml.

    Args:
        config: what it says.
        document: where it says it.
        text: the file, to find a column inside a formula.
        known: what the connections hold.
    """

    def __init__(self, config: DerivedConfig, document: Document, text: str, known: Known) -> None:
        self._config = config
        self._document = document
        self._lines = text.splitlines()
        self._known = known
        self._rests_on = rests_on(config)
        self._made_by_window = {
            f"{device}.{take.name}"
            for steps, device, window in windows_of(config)
            for take in takes_of(str(steps[-1]), window)
        }
        self._tags: Mapping[str, SourceTag] = {}

    def problems(self) -> Iterator[Problem]:
        """All that is wrong."""
        yield from self._names()
        chain = circle(self._rests_on)
        if chain is not None:
            yield self._circle(chain)
            return
        self._tags = with_derived(self._known, self._config, in_order(self._rests_on))
        for steps, _, formula in formulas_of(self._config):
            yield from value_rules(self._document, steps, formula)
            yield from self._formula(steps, formula)
        for steps, _, window in windows_of(self._config):
            yield from value_rules(self._document, steps, window)
            yield from self._window(steps, window)

    def _names(self) -> Iterator[Problem]:
        for device_name, device in self._config.devices.items():
            steps: tuple[Step, ...] = ("devices", device_name)
            yield from reserved(self._document, steps)
            owner = self._known.devices.get(device_name)
            if owner is not None:
                text = f"the device name {quoted(device_name)} is already taken in {owner}"
                yield self._document.problem(self._document.key_place(steps), text)
            if not device.tags and not device.windows:
                yield self._document.problem(
                    self._document.key_place(steps), f"{device_name} has neither tags nor windows"
                )
            for name in device.tags:
                yield from reserved(self._document, (*steps, "tags", name))
            yield from self._made_names(steps, set(device.tags))

    def _made_names(self, steps: tuple[Step, ...], taken: set[str]) -> Iterator[Problem]:
        """Windows make names of their own, which may be too long or taken."""
        device = self._config.devices[str(steps[1])]
        for stem, window in device.windows.items():
            place = self._document.key_place((*steps, "windows", stem))
            for take in takes_of(stem, window):
                if len(take.name) > _LONGEST_NAME:
                    text = f"the name {quoted(take.name)}, which this window makes, is longer than {_LONGEST_NAME}"
                    yield self._document.problem(place, text)
                if take.name in taken:
                    text = f"the name {quoted(take.name)}, which this window makes, is already taken on this device"
                    yield self._document.problem(place, text)
                taken.add(take.name)

    def _circle(self, chain: Sequence[str]) -> Problem:
        device, _, name = chain[0].partition(".")
        steps = ("devices", device, "tags", name)
        if name not in self._config.devices[device].tags:
            stems = self._config.devices[device].windows.items()
            stem = next(stem for stem, window in stems if name in {take.name for take in takes_of(stem, window)})
            steps = ("devices", device, "windows", stem)
        text = f"{name} would be made of itself: {' <- '.join(chain)}"
        return self._document.problem(self._document.key_place(steps), text)

    def _formula(self, steps: tuple[Step, ...], config: FormulaConfig) -> Iterator[Problem]:
        for name, source in config.inputs.items():
            at = (*steps, "inputs", name)
            if is_word(name):
                text = f"{quoted(name)} cannot be the name of an input: it is a word of the formulas"
                yield self._document.problem(self._document.key_place(at), text)
            yield from self._source(at, source)
        try:
            formula = formula_of(config.value, tuple(config.inputs))
        except FormulaError as error:
            place = self._inside((*steps, "value"), config.value, error.column)
            yield self._document.problem(place, str(error), error.hint)
            return
        yield from self._fit(steps, config, formula)

    def _fit(self, steps: tuple[Step, ...], config: FormulaConfig, formula: Formula) -> Iterator[Problem]:
        """Whether inputs and keys suit the formula."""
        for name, source in config.inputs.items():
            place = self._document.key_place((*steps, "inputs", name))
            if name not in formula.used and not is_word(name):
                text = f"the input {quoted(name)} does not stand in the formula"
                yield self._document.problem(place, text, severity=Severity.WARNING)
            elif name not in formula.texts and self._is_text(source):
                text = f"{source} is a text, and the formula needs a number"
                yield self._document.problem(place, text, 'a text can be compared: name == "running"')
        if config.persist and not formula.integrates:
            text = "persist has no effect on a formula without an integral"
            yield self._document.problem(self._document.key_place((*steps, "persist")), text, severity=Severity.WARNING)

    def _window(self, steps: tuple[Step, ...], config: WindowConfig) -> Iterator[Problem]:
        yield from self._source((*steps, "source"), config.source)
        if config.source in self._made_by_window:
            text = "a window cannot be made of another window's tag: its values stand at the end of their time"
            hint = "take this window from the same source"
            yield self._document.problem(self._document.value_place((*steps, "source")), text, hint)
        yield from self._length(steps, config)
        yield from self._takes(steps, config)

    def _length(self, steps: tuple[Step, ...], config: WindowConfig) -> Iterator[Problem]:
        try:
            span = Span.of(config.window, config.timezone)
        except ValueError as error:
            wrong_zone = is_by_calendar(config.window) and config.timezone is not None
            hint = did_you_mean(config.timezone, available_timezones()) if config.timezone and wrong_zone else None
            place = self._document.value_place((*steps, "timezone" if wrong_zone else "window"))
            yield self._document.problem(place, str(error), hint)
            return
        if config.timezone is not None and span.timezone is None:
            text = f"timezone has no effect on windows of {config.window}, which are counted from midnight UTC"
            yield self._document.problem(
                self._document.key_place((*steps, "timezone")), text, severity=Severity.WARNING
            )
        source = self._tags.get(config.source)
        if source is not None and source.period_s > span.length_s:
            text = f"a window of {config.window} is shorter than the period of {config.source}, {source.period_s:g} s"
            yield self._document.problem(self._document.value_place((*steps, "window")), text)

    def _takes(self, steps: tuple[Step, ...], config: WindowConfig) -> Iterator[Problem]:
        if ("time_in_state" in config.take) != bool(config.states):
            key = "states" if config.states else "take"
            text = "time_in_state and the group states belong together"
            hint = "write states: {running: 1, idle: 0}" if not config.states else "add time_in_state to take"
            yield self._document.problem(self._document.key_place((*steps, key)), text, hint)
        for position, take in enumerate(config.take):
            if take not in _FOR_ANY_VALUE and self._is_text(config.source):
                place = self._document.node((*steps, "take", position)).place
                yield self._document.problem(place, f"{config.source} is a text, which has no {take}")

    def _source(self, steps: tuple[Step, ...], source: str) -> Iterator[Problem]:
        if source in self._tags:
            return
        place = self._document.value_place(steps)
        device = source.partition(".")[0]
        if not self._known.whole and device not in self._known.devices and device not in self._config.devices:
            text = f"{source} is not known; its connection may be the one that cannot be used"
            yield self._document.problem(place, text, severity=Severity.WARNING)
            return
        yield self._document.problem(place, *self._no_such(device, source.partition(".")[2]))

    def _no_such(self, device: str, tag: str) -> tuple[str, str | None]:
        """What to say of a tag that is nowhere."""
        names = [name.partition(".")[2] for name in self._tags if name.startswith(f"{device}.")]
        if not names:
            devices = {name.partition(".")[0] for name in self._tags}
            return f"there is no device {quoted(device)}", did_you_mean(device, sorted(devices))
        few = f"tags of {device}: {', '.join(names)}" if len(names) <= _FEW_NAMES else None
        return f"{device} has no tag {quoted(tag)}", did_you_mean(tag, names) or few

    def _is_text(self, source: str) -> bool:
        return source in self._tags and self._tags[source].type in {"text", "string"}

    def _inside(self, steps: tuple[Step, ...], text: str, column: int) -> Place:
        """The place of a character of a text; the place of the text itself where that cannot be told."""
        place = self._document.node(steps).place
        line = self._lines[place.line - 1][place.column - 1 :]
        quote = 1 if line[:1] in {'"', "'"} else 0
        return Place(place.line, place.column + quote + column) if line[quote:].startswith(text) else place


def is_word(name: str) -> bool:
    """Whether a name means something in a formula already."""
    return name in NAMES or iskeyword(name)
