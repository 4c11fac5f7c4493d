"""The worked examples of tests/cases/derived: they are the documentation of derived tags, and hold to the digit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config.derived_file import check_derived
from gateway.config.derived_names import known_of
from gateway.config.files import Source
from gateway.testing import ManualClock
from tests.gateway.processing.derived.conftest import Plant, configuration_of

CASES = Path(__file__).parents[3] / "cases" / "derived"
EXAMPLES: dict[str, dict[str, Any]] = {
    f"{path.stem}: {title}": example
    for path in sorted(CASES.glob("*.yaml"))
    for title, example in yaml.safe_load(path.read_text(encoding="utf-8")).items()
}


def rows_of(example: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows, each that stands for many written out."""
    rows = []
    for row in example["rows"]:
        if "every" in row:
            count = round((row["to"] - row["from"]) / row["every"]) + 1
            rows += [{"at": row["from"] + n * row["every"], "read": row["read"]} for n in range(count)]
        else:
            rows.append(row)
    return rows


@pytest.mark.parametrize("title", EXAMPLES)
def test_what_is_sent_is_as_worked_out_by_hand(title: str) -> None:
    """Times, values and qualities are exactly those of the example, and nothing else is sent."""
    example = EXAMPLES[title]
    clock = ManualClock(round(example["start"].timestamp()) * 1_000_000_000) if "start" in example else ManualClock()
    plant = Plant(example["sources"], {"calc": example["calc"]}, clock)
    now_s, start_ns, set_by_s = 0.0, clock.time_ns, 0.0
    for row in rows_of(example):
        clock.advance(row["at"] - now_s)
        clock.step(row.get("set_clock_by", 0.0))
        now_s, set_by_s = row["at"], set_by_s + row.get("set_clock_by", 0.0)
        plant.read(row.get("read", {}), {name: -1000 * late_s for name, late_s in row.get("late", {}).items()})
        plant.tick()
        expected = [{"at": now_s + set_by_s, **batch} for batch in row.get("sent", ())]
        assert plant.sent("calc", start_ns) == expected, f"at second {now_s}"


@pytest.mark.parametrize("title", EXAMPLES)
def test_each_example_passes_the_check(title: str) -> None:
    """What an example shows can be copied into derived.yaml."""
    example = EXAMPLES[title]
    text = yaml.safe_dump({"version": 1, "devices": {"calc": example["calc"]}}, allow_unicode=True)
    known = known_of(configuration_of(example["sources"], {}).connections, whole=True)
    outcome = check_derived(Source(CASES, "derived.yaml", text.encode(), text), known)
    assert outcome.problems == []


def test_each_file_is_in_the_contents() -> None:
    """Whoever looks for an example finds it, and every example says why it is there."""
    contents = (CASES / "README.md").read_text(encoding="utf-8")
    assert all(f"| {path.name} | " in contents for path in CASES.glob("*.yaml"))
    assert all(example["why"] for example in EXAMPLES.values())


def test_there_are_enough_examples() -> None:
    """They do not shrink unnoticed."""
    assert len(EXAMPLES) >= 45
