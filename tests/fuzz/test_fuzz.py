"""The targets of `make fuzz` in the hands of hypothesis, which makes a failing case small."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.__main__ import SHARES, run, table
from tests.fuzz.targets import TARGETS, pool, run_steps

if TYPE_CHECKING:
    from random import Random

    from tests.fuzz.targets import Target


@cache
def target_of(name: str) -> Target:
    return TARGETS[name](pool(1))


@pytest.mark.parametrize("name", sorted(TARGETS))
@given(rng=st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_only_the_drivers_own_errors_come_out_and_no_wrong_value(name: str, rng: Random) -> None:
    """Frames that are right, damaged, merged, split, of somebody else, or nothing at all."""
    asyncio.run(run_steps(target_of(name), rng, 3))


def test_a_run_feeds_every_target_and_tells_what_came_out(capsys: pytest.CaptureFixture[str]) -> None:
    """As `make fuzz` does it, in small."""
    done = run(2_000, seed=2, processes=1)
    assert sum(one.outcomes.total() for one in done) == 2_000
    assert {one.target for one in done} == set(SHARES) == set(TARGETS)
    told = table(done)
    for outcome in ("decoded", "WrongReply", "out of step", "nothing usable", "written", "NotKept"):
        assert outcome in told
    assert "2,000 of 2,000 frames" in capsys.readouterr().err
