from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signals import GROWTH, ORDINARY, analog, digital

KEYS = st.text(max_size=30)
UNITS = st.sampled_from([None, "furlong", *ORDINARY, *GROWTH])
TIMES = st.floats(0, 1e8)
LIMITS = st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)).map(sorted)
SECONDS = range(600)


@given(KEYS, UNITS, LIMITS, TIMES)
def test_a_value_never_leaves_its_limits(key: str, unit: str | None, limits: list[float], t: float) -> None:
    """Whatever the unit's ordinary values, the limits win, for limits of any width and at any time."""
    low, high = limits
    assert low <= analog(key, unit, limits, t) <= high


@given(KEYS, UNITS, TIMES)
def test_a_value_stays_in_the_inner_part_of_its_limits(key: str, unit: str | None, t: float) -> None:
    """A fifth of the span stays free at both ends, so that no simulated value looks out of range after rounding."""
    assert 19.999 <= analog(key, unit, (0, 100), t) <= 80.001


@given(KEYS, st.sampled_from(sorted(GROWTH)), st.none() | LIMITS, TIMES, st.floats(0, 1e6))
def test_a_counter_never_falls(key: str, unit: str, limits: list[float] | None, t: float, later: float) -> None:
    """Energy, volume and hours only grow, with limits and without."""
    assert analog(key, unit, limits, t + later) >= analog(key, unit, limits, t)


@pytest.mark.parametrize("unit", sorted(GROWTH))
def test_a_counter_grows_by_its_rate(unit: str) -> None:
    """A counter without limits gains what its load makes in ten seconds."""
    grown = analog("meter", unit, None, 20) - analog("meter", unit, None, 10)
    assert grown == pytest.approx(10 * GROWTH[unit])


@pytest.mark.parametrize(("unit", "low", "high"), [("V", 220, 240), ("Hz", 49.9, 50.1), ("°C", 30, 80), ("kW", 0, 100)])
def test_ordinary_units_give_ordinary_values(unit: str, low: float, high: float) -> None:
    """A mains voltage stands near 230 V and its frequency near 50 Hz, with wide limits and with none."""
    for t in SECONDS:
        assert low <= analog("feeder", unit, None, t) <= high
        assert low <= analog("feeder", unit, (-1000, 1000), t) <= high


def test_limits_too_narrow_for_the_unit_replace_its_ordinary_values() -> None:
    """A chiller at 0 to 12 °C does not show the 40 to 70 °C of hydraulic oil."""
    values = [analog("chiller", "°C", (0, 12), t) for t in SECONDS]
    assert min(values) < 5
    assert max(values) > 7


@pytest.mark.parametrize("unit", [None, *ORDINARY])
def test_a_value_moves_within_seconds_and_never_jumps(unit: str | None) -> None:
    """Over ten minutes it uses most of its band, each second moves it, and none by more than a quarter of the band."""
    values = [analog("press/pressure", unit, None, t) for t in SECONDS]
    band = max(values) - min(values)
    steps = [abs(later - earlier) / band for earlier, later in pairwise(values)]
    assert band > 0
    assert max(steps) < 0.25
    assert sum(step > 0.001 for step in steps) > 0.95 * len(steps)


def test_two_keys_give_two_signals() -> None:
    """Two tags of the same unit do not move in step."""
    differences = {round(analog("a", "V", None, t) - analog("b", "V", None, t), 3) for t in SECONDS}
    assert len(differences) > len(SECONDS) / 2


@given(KEYS, st.integers(0, 100_000))
def test_a_contact_changes_after_one_to_six_seconds(key: str, start: int) -> None:
    """Sampled every tenth of a second, no state is held for less than 1 s or for more than 6 s."""
    states = [digital(key, start + tenth / 10) for tenth in range(200)]
    changes = [n for n, (earlier, later) in enumerate(pairwise(states)) if earlier != later]
    held = [(later - earlier) / 10 for earlier, later in pairwise(changes)]
    assert held
    assert all(0.9 <= seconds <= 6.1 for seconds in held)


def test_a_contact_is_irregular() -> None:
    """The states are held for many different times, not for one period."""
    states = [digital("door", tenth / 10) for tenth in range(1200)]
    changes = [n for n, (earlier, later) in enumerate(pairwise(states)) if earlier != later]
    assert len({later - earlier for earlier, later in pairwise(changes)}) > 8


def test_contacts_do_not_all_begin_alike() -> None:
    """Some contacts are closed at the beginning and some are open."""
    assert {digital(f"contact {n}", 0) for n in range(20)} == {False, True}


def test_every_process_sees_the_same_signals() -> None:
    """Python salts its own hash a process; the signals must not depend on it."""
    program = "from gateway.signals import analog, digital; print(analog('k', 'V', None, 12.5), digital('k', 12.5))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert seen == {f"{analog('k', 'V', None, 12.5)} {digital('k', 12.5)}\n"}
