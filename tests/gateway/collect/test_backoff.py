"""Patience with what fails."""

from __future__ import annotations

from gateway.collect.backoff import Backoff


def test_the_first_failure_is_tried_again_at_once() -> None:
    """Most failures are one lost packet."""
    assert Backoff().failed() == 0.0


def test_steps_double_up_to_the_cap_and_are_drawn_below_it() -> None:
    """Full jitter: anything between nothing and the step, so that many gateways do not knock together."""
    drawn: list[tuple[float, float]] = []

    def highest(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    backoff = Backoff(first_s=0.5, cap_s=10.0, jitter=highest)
    assert [backoff.failed() for _ in range(8)] == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert {low for low, _ in drawn} == {0.0}


def test_success_begins_anew() -> None:
    """A link that worked is tried again at once when it breaks."""
    backoff = Backoff()
    backoff.failed()
    backoff.failed()
    backoff.succeeded()
    assert backoff.failed() == 0.0


def test_years_of_failures_do_not_overflow() -> None:
    """The exponent is bounded."""
    backoff = Backoff(jitter=lambda _low, high: high)
    assert [backoff.failed() for _ in range(5000)][-1] == 10.0
