from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.publish.judge import DENIALS, FAILING_S, FAILURES, Judge, Verdict, pause_after

if TYPE_CHECKING:
    from gateway.testing import ManualClock

TOPIC = "acme/press-12/data"
OTHER = "acme/press-13/data"


@pytest.fixture
def judge(clock: ManualClock) -> Judge:
    return Judge(clock)


@pytest.mark.parametrize("code", [0x00, 0x10])
def test_success_is_success_with_or_without_subscribers(judge: Judge, code: int) -> None:
    """`No matching subscribers` means that the broker has it."""
    assert judge.verdict(TOPIC, code) is Verdict.DELIVERED


@pytest.mark.parametrize("code", [0x90, 0x91, 0x99])
def test_what_can_never_do_better_is_refused_at_once(judge: Judge, code: int) -> None:
    """A topic or payload that the broker finds wrong is wrong the next time too."""
    assert judge.verdict(TOPIC, code) is Verdict.REFUSED


@pytest.mark.parametrize("code", [*range(0x80, 0x87), *range(0x88, 0x90), 0x97, 0xA0])
def test_any_other_failure_is_tried_again(judge: Judge, code: int) -> None:
    """Quotas refill and brokers recover."""
    assert judge.verdict(TOPIC, code) is Verdict.AGAIN


def test_a_topic_that_is_denied_three_times_is_refused(judge: Judge) -> None:
    """An access list that is being reloaded denies once or twice; a wrong one denies always."""
    verdicts = [judge.verdict(TOPIC, 0x87) for _ in range(DENIALS + 1)]
    assert verdicts == [Verdict.AGAIN, Verdict.AGAIN, Verdict.REFUSED, Verdict.REFUSED]


def test_a_denied_topic_harms_no_other(judge: Judge) -> None:
    """Denials are counted by topic."""
    for _ in range(DENIALS):
        judge.verdict(TOPIC, 0x87)
    assert judge.verdict(OTHER, 0x87) is Verdict.AGAIN


def test_a_delivery_wipes_the_slate(judge: Judge) -> None:
    """Two denials, a success and two denials are no reason to give up."""
    for _ in range(5):
        assert judge.verdict(TOPIC, 0x87) is Verdict.AGAIN
        assert judge.verdict(TOPIC, 0x87) is Verdict.AGAIN
        assert judge.verdict(TOPIC, 0x00) is Verdict.DELIVERED


def test_a_broker_that_takes_nothing_at_all_is_waited_for(judge: Judge, clock: ManualClock) -> None:
    """A full disk at the broker is no reason to throw readings away, however long it lasts."""
    for _ in range(100):
        assert judge.verdict(TOPIC, 0x97) is Verdict.AGAIN
        clock.advance(60)


def test_one_topic_that_keeps_failing_while_others_pass_is_refused(judge: Judge, clock: ManualClock) -> None:
    """After ten failures and a minute in which another topic was taken, the topic is the cause."""
    for _ in range(FAILURES - 1):
        judge.verdict(TOPIC, 0x80)
    clock.advance(FAILING_S)
    judge.verdict(OTHER, 0x00)
    assert judge.verdict(TOPIC, 0x80) is Verdict.REFUSED


def test_a_minute_must_pass_before_a_failing_topic_is_given_up(judge: Judge, clock: ManualClock) -> None:
    """Ten quick failures may be one hiccup."""
    for _ in range(3 * FAILURES):
        judge.verdict(OTHER, 0x00)
        assert judge.verdict(TOPIC, 0x80) is Verdict.AGAIN
    clock.advance(FAILING_S - 1)
    assert judge.verdict(TOPIC, 0x80) is Verdict.AGAIN


def test_the_pause_doubles_up_to_a_minute(judge: Judge) -> None:
    """A broker over its quota is not asked ever more often."""
    pauses_s = []
    for _ in range(9):
        judge.verdict(TOPIC, 0x97)
        pauses_s.append(pause_after(judge.failures(TOPIC), 1.0))
    assert pauses_s == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert pause_after(judge.failures(OTHER), 1.0) == 1.0


def test_no_number_of_failures_is_too_many_for_the_pause(judge: Judge) -> None:
    """Weeks of failures must not overflow a float."""
    for _ in range(5000):
        judge.verdict(TOPIC, 0x97)
    assert pause_after(judge.failures(TOPIC), 1.0) == 60
