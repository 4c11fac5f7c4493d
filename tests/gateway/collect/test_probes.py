from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.probes import SHARE, ProbeBudget

S = 1_000_000_000


@given(st.lists(st.tuples(st.integers(0, 5 * S), st.integers(1, 2 * S)), max_size=200))
def test_probing_takes_no_more_than_its_share_of_the_time(steps: list[tuple[int, int]]) -> None:
    """Whatever probes take: a tenth, one second that was saved up, and the last probe, which may overdraw."""
    now_ns, spent_ns, largest_ns = 0, 0, 0
    budget = ProbeBudget(now_ns)
    for waited_ns, took_ns in steps:
        now_ns += waited_ns
        if budget.allows(now_ns):
            now_ns += took_ns
            budget.spend(took_ns)
            spent_ns += took_ns
            largest_ns = max(largest_ns, took_ns)
    assert spent_ns <= SHARE * now_ns + S + largest_ns


def test_what_was_spent_grows_back() -> None:
    """Ten times as long as it took."""
    budget = ProbeBudget(0)
    budget.spend(2 * S)
    assert not budget.allows(9 * S)
    assert budget.allows(21 * S)
