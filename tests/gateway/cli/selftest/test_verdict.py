"""What the self-test makes of what was put and what arrived."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.cli.selftest.child import PLANS, value_of
from gateway.cli.selftest.verdict import TWICE_AT_MOST, Evidence, Life, Verdict

PREFIX = "acme/_gateway/hall-1/selftest"
TAGS = range(len(PLANS[0].tags))
GOOD = Verdict(1000, 1000, 0, 0, 0, TWICE_AT_MOST, 0, 500, kill_was_told=True, seconds=30.0)


def heard(evidence: Evidence, run: int, seqs: Any, ending: str = "data") -> None:
    """These batches of all devices arrive."""
    for seq in seqs:
        for plan in PLANS:
            values = {f"count_{tag}": value_of(seq, tag) for tag in TAGS}
            body = {"device": plan.device, "run": f"{run:06d}-0e1f7e57", "seq": seq, "values": values}
            evidence.take(f"{PREFIX}/{plan.device}/{ending}", json.dumps(body).encode())


def crash_told(evidence: Evidence, reason: str = "crash") -> None:
    """A gap record arrives."""
    evidence.take(f"{PREFIX}/_gateway/hall-1-selftest/gaps", json.dumps({"reason": reason}).encode())


def lives(killed_at: float = 10.0) -> tuple[Life, Life]:
    """Ten batches a second and device: a hundred in the first life, twenty in the second."""
    first = Life(1, [(seq / 10, seq) for seq in range(1, 101)], killed_at)
    return first, Life(2, [(20 + seq / 10, seq) for seq in range(1, 21)])


def test_all_that_was_put_has_arrived() -> None:
    """Some of it from disk: good."""
    evidence = Evidence()
    heard(evidence, 1, range(1, 51))
    heard(evidence, 1, range(51, 101), "history")
    heard(evidence, 2, range(1, 21))
    crash_told(evidence)
    verdict = evidence.verdict(lives(), 31.23)
    assert verdict == Verdict(600, 600, 0, 0, 0, TWICE_AT_MOST, 0, 250, kill_was_told=True, seconds=31.2)
    assert verdict.good


def test_a_batch_that_never_comes_is_lost() -> None:
    """One seq of one device, older than two seconds at the kill."""
    evidence = Evidence()
    heard(evidence, 1, [seq for seq in range(1, 101) if seq != 40])
    heard(evidence, 2, range(1, 21))
    verdict = evidence.verdict(lives(), 30)
    assert (verdict.lost, verdict.lost_young) == (len(PLANS), 0)
    assert not verdict.good


def test_what_was_young_at_the_kill_may_be_lost() -> None:
    """Two seconds and a period before it; nothing of a life that ended in good order."""
    evidence = Evidence()
    heard(evidence, 1, range(1, 80))
    heard(evidence, 2, range(1, 21))
    verdict = evidence.verdict(lives(), 30)
    assert verdict.lost == 0
    assert verdict.lost_young == 21 * len(PLANS)
    assert evidence.verdict(lives(killed_at=11.0), 30).lost == 10 * len(PLANS)
    ended, _ = lives()
    ended.killed_at = None
    assert ended.safe == 100


def test_what_comes_twice_is_counted() -> None:
    """By its name, whatever its topic."""
    evidence = Evidence()
    heard(evidence, 1, range(1, 101))
    heard(evidence, 1, range(50, 60), "history")
    verdict = evidence.verdict(lives(), 30)
    assert verdict.twice == 10 * len(PLANS)
    assert verdict.arrived == 500


def test_a_wrong_value_is_seen() -> None:
    """A value that wears another one's name, or a tag too few."""
    evidence = Evidence()
    for values in ({f"count_{tag}": value_of(8, tag) for tag in TAGS}, {"count_0": value_of(7, 0)}):
        body = {"device": "machine-0", "run": "000001-0e1f7e57", "seq": 7, "values": values}
        evidence.take(f"{PREFIX}/machine-0/data", json.dumps(body).encode())
    assert evidence.verdict(lives(), 30).wrong == 2


def test_other_topics_are_nothing_to_it() -> None:
    """A status, an event, and a gap of another reason."""
    evidence = Evidence()
    evidence.take(f"{PREFIX}/_gateway/hall-1-selftest/status", b"{}")
    evidence.take(f"{PREFIX}/_gateway/hall-1-selftest/events", b"no json")
    crash_told(evidence, "spool_full")
    assert not evidence.verdict(lives(), 30).kill_was_told


@pytest.mark.parametrize(
    "change",
    [{"lost": 1}, {"wrong": 1}, {"twice": TWICE_AT_MOST + 1}, {"kill_was_told": False}, {"arrived": 0}, {"history": 0}],
)
def test_one_broken_promise_is_enough(change: dict[str, Any]) -> None:
    """Also a trial that proved nothing, since nothing waited on disk."""
    assert GOOD.good
    assert not GOOD._replace(**change).good
    assert GOOD._replace(lost_young=50, twice=TWICE_AT_MOST).good


def test_a_life_that_said_nothing_has_put_nothing() -> None:
    """It was killed before it came that far."""
    assert (Life(1).told, Life(1, killed_at=3.0).safe) == (0, 0)
