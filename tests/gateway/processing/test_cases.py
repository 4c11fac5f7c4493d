"""The worked examples of tests/cases/processing: they are the documentation of processing, and hold to the digit."""

from __future__ import annotations

import pytest

from tests.gateway.processing.worked_example import CASES, Example, examples

EXAMPLES = examples()
FEWEST = 60


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{example.file}: {example.title}" for example in EXAMPLES])
def test_what_is_sent_is_exactly_what_the_example_says(example: Example) -> None:
    """Value, type of number, quality, reason, time, order and events."""
    for row, sent, events in example.replay():
        where = f"at {row['at']} s"
        assert [repr(batch) for batch in sent] == [repr(batch) for batch in _in_order(row.get("sent", []), sent)], where
        assert events == row.get("events", []), where


def _in_order(wanted: list[dict], sent: list[dict]) -> list[dict]:
    """The tags of a batch in the order in which they were sent: a file may name them in any."""
    if len(wanted) != len(sent):
        return wanted
    return [
        {key: want[key] for key in (*(k for k in got if k in want), *(k for k in want if k not in got))}
        for want, got in zip(wanted, sent, strict=True)
    ]


def test_there_are_enough_examples() -> None:
    """The collection does not shrink unnoticed."""
    assert len(EXAMPLES) >= FEWEST


def test_each_example_says_why() -> None:
    """A technician reads them."""
    assert all(example.why.strip() for example in EXAMPLES)


def test_each_file_of_examples_is_listed() -> None:
    """The table of contents is whole."""
    contents = (CASES / "README.md").read_text(encoding="utf-8")
    assert [file.name for file in sorted(CASES.glob("*.yaml")) if file.name not in contents] == []
