"""The worked examples of tests/cases/alarms: they are the documentation of alarms, and hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gateway.clock.watch import ClockWatch
from gateway.collect.plan import devices_of
from gateway.processing.alarm_memory import AlarmMemory
from gateway.processing.alarms import ActiveAlarm, Alarms
from gateway.state import State
from gateway.testing import ManualClock
from tests.gateway.processing.worked_example import ExampleConnection, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.model import Notice

CASES = Path(__file__).parents[2] / "cases" / "alarms"


@dataclass
class Example:
    """One example as its file has it."""

    file: str
    title: str
    why: str
    tags: dict[str, Any]
    rows: list[dict[str, Any]]


EXAMPLES = [
    Example(file.stem, title, **case)
    for file in sorted(CASES.glob("*.yaml"))
    for title, case in yaml.safe_load(file.read_text(encoding="utf-8")).items()
]


class Replay:
    """Plays one example."""

    def __init__(self, example: Example, folder: Path) -> None:
        tags = {name: tag | _text_keys(tag) for name, tag in example.tags.items()}
        config = {"version": 1, "driver": "example", "devices": {"example": {"tags": tags}}}
        (self._device,) = devices_of(ExampleConnection.model_validate(config))
        self._rows = example.rows
        self._state = State(folder)
        self._clock = ManualClock()
        self._at = 0.0
        self._told: list[str] = []
        self._active: list[str] = []
        self._alarms = self._started("boot-1")

    def rows(self) -> Iterator[tuple[dict[str, Any], list[str], list[str]]]:
        """Each row with what was told, and the list of active alarms after it."""
        for row in self._rows:
            self._clock.advance(row["at"] - self._at)
            self._at = row["at"]
            self._do(row)
            yield row, self._told, self._active
            self._told = []

    def _do(self, row: dict[str, Any]) -> None:
        stamp = self._clock.now()
        if "restart" in row:
            rebooted = row["restart"] == "reboot"
            if rebooted:
                self._clock.monotonic_ns = 7
            self._alarms = self._started("boot-2" if rebooted else "boot-1")
        elif "acknowledge" in row:
            self._alarms.acknowledge("example", row["acknowledge"], "anna", stamp)
        elif "read" in row:
            self._alarms.see(read(self._device.plan, row["read"], stamp))
        else:
            self._alarms.tick(stamp)

    def _started(self, boot: str) -> Alarms:
        alarms = Alarms(ClockWatch(self._clock, frozenset()), AlarmMemory(self._state, boot), self)
        alarms.carry([self._device], self._clock.now())
        return alarms

    def tell_event(self, notice: Notice) -> None:
        """An event in the notation of the files."""
        body = notice.body
        turn = str(body["event"]).removeprefix("alarm_")
        lasted = f" {body['lasted_s']:g}" if "lasted_s" in body else ""
        self._told.append(f"{turn} {body['alarm']}{lasted}")

    def tell_alarms(self, device: str, active: Sequence[ActiveAlarm]) -> None:
        """The list in the notation of the files."""
        self._active = [
            alarm.id + (" over" if alarm.over else "") + (" acknowledged" if alarm.acknowledged else "")
            for alarm in active
        ]


def _text_keys(tag: dict[str, Any]) -> dict[str, Any]:
    """Numbers as keys are text in the files of a gateway."""
    return {key: {str(number): text for number, text in tag[key].items()} for key in ("texts", "bits") if key in tag}


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{example.file}: {example.title}" for example in EXAMPLES])
def test_alarms_begin_and_end_as_the_example_says(example: Example, tmp_path: Path) -> None:
    """Events, how long each lasted, and the list after each row."""
    active: list[str] = []
    for row, told, listed in Replay(example, tmp_path).rows():
        where = f"at {row['at']} s"
        assert told == row.get("told", []), where
        active = row.get("active", active)
        assert listed == active, where


def test_the_collection_does_not_shrink_unnoticed() -> None:
    """Each has its reason, and each file stands in the table of contents."""
    assert len(EXAMPLES) >= 20
    assert all(example.why for example in EXAMPLES)
    contents = (CASES / "README.md").read_text(encoding="utf-8")
    assert [file.name for file in CASES.glob("*.yaml") if file.name not in contents] == []
