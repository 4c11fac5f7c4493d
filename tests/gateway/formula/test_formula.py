"""What a formula works out: as Python would, where Python may be asked."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formula.error import FormulaError
from gateway.formula.formula import Formula, formula_of

S = 1_000_000_000


def worked_out(text: str, **inputs: object) -> object:
    formula = Formula(text, tuple(inputs))
    return formula.work_out(list(inputs.values()), formula.memory(), 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t", 7.5),
        ("-t", -7.5),
        ("+t", 7.5),
        ("t + u * 2", 11.5),
        ("(t + u) * 2", 19.0),
        ("t - u - 1", 4.5),
        ("t / u", 3.75),
        ("t // u", 3.0),
        ("t % u", 1.5),
        ("-t % u", 0.5),
        ("u ** 3", 8.0),
        ("u ** -1", 0.5),
        ("-u ** 2", -4.0),
        ("abs(-t)", 7.5),
        ("min(t, u, 1)", 1),
        ("max(t, u, 1)", 7.5),
        ("round(t)", 8),
        ("round(t / 3, 2)", 2.5),
        ("sqrt(u * 8)", 4.0),
        ("t > u", True),
        ("1 < u <= 2 < t", True),
        ("1 < u < 2 < t", False),
        ("t == 7.5 and u != 3", True),
        ("not t", False),
        ("t or u", True),
        ("0 and t", False),
        ("t if u > 3 else u", 2),
        ("1 if t > 5 else 2 if t > 3 else 3", 1),
        ("true_like == 1", True),
        ("1e3 * u", 2000.0),
        ("  t  ", 7.5),
        ("t +\n  u", 9.5),
        ("name == 'running'", True),
        ("'idle' != name", True),
        ("True and t", True),
    ],
)
def test_results(text: str, expected: object) -> None:
    """Precedence and meaning are those of everyday arithmetic, as Python has them."""
    result = worked_out(text, t=7.5, u=2, true_like=True, name="running")
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("text", ["t / 0", "t // (u - 2)", "t % 0", "0 ** -1 + t", "sqrt(-t)", "1e300 * t * 1e300"])
def test_what_has_no_answer_is_an_arithmetic_error(text: str) -> None:
    """Two kinds of exception tell it, and the caller makes BAD of both."""
    with pytest.raises((ArithmeticError, ValueError)):
        worked_out(text, t=7.5, u=2)


@pytest.mark.parametrize(
    ("text", "is_truth"),
    [
        ("t", False),
        ("t > 1", True),
        ("not t", True),
        ("t and u", True),
        ("1 if t else 0", False),
        ("t > 1 if u else t < 1", True),
        ("True", True),
        ("max(t, u)", False),
        ("-(t > 1)", False),
    ],
)
def test_whether_the_result_is_true_or_false_is_seen_in_the_text(text: str, *, is_truth: bool) -> None:
    """So a tag has its type before its first sample."""
    assert Formula(text, ("t", "u")).is_truth is is_truth


def test_inputs_that_are_used_and_inputs_that_are_texts_are_known() -> None:
    """What is not used is a mistake to tell of; what is no text must be a number."""
    formula = Formula("a if mode == 'auto' else b", ("a", "b", "c", "mode"))
    assert formula.used == {"a", "b", "mode"}
    assert formula.texts == {"mode"}


def test_a_formula_is_read_once_however_often_it_is_asked_for() -> None:
    """The check reads it beside the event loop, and the reload finds it ready."""
    assert formula_of("t + 1", ("t",)) is formula_of("t + 1", ("t",))
    assert formula_of("t + 1", ("t",)) is not formula_of("t + 1", ("t", "u"))


def test_two_uses_of_a_formula_do_not_share_their_memory() -> None:
    """A formula is read once; each use brings its own memory."""
    formula = Formula("t - previous(t)", ("t",))
    one, other = formula.memory(), formula.memory()
    assert formula.work_out([1.0], one, 0) == 0.0
    assert formula.work_out([5.0], one, S) == 4.0
    assert formula.work_out([7.0], other, S) == 0.0


def test_what_remembers_is_stepped_whether_its_branch_is_taken_or_not() -> None:
    """An integral behind an if does not lose the time in which the if points elsewhere."""
    formula = Formula("integral(t, per='s') if u else 0", ("t", "u"))
    memory = formula.memory()
    for second, shown in enumerate([True, False, False, True]):
        result = formula.work_out([10.0, shown], memory, second * S)
    assert result == 30.0


def test_calls_that_remember_may_stand_in_each_other() -> None:
    """The inner one is worked out first."""
    formula = Formula("integral(moving_average(t, 10), per='s') + previous(previous(t))", ("t",))
    memory = formula.memory()
    results = [formula.work_out([value], memory, second * S) for second, value in enumerate([2.0, 4.0, 6.0])]
    assert results == [2.0 + 0.0, 2.0 + 2.0, 2.0 + 2.0 + 3.0]


def test_a_failure_elsewhere_in_the_formula_does_not_interrupt_an_integral() -> None:
    """Division by a count that is still zero loses no energy."""
    formula = Formula("integral(p, per='s') / n", ("p", "n"))
    memory = formula.memory()
    for second in range(3):
        with pytest.raises(ZeroDivisionError):
            formula.work_out([10.0, 0], memory, second * S)
    assert formula.work_out([10.0, 1], memory, 3 * S) == 30.0


def test_a_failure_inside_an_integral_interrupts_it_and_what_stands_behind() -> None:
    """What cannot be known is not added; what was added stays."""
    formula = Formula("integral(p / n, per='s')", ("p", "n"))
    memory = formula.memory()
    assert formula.work_out([10.0, 1], memory, 0) == 0.0
    with pytest.raises(ZeroDivisionError):
        formula.work_out([10.0, 0], memory, 1 * S)
    assert formula.work_out([10.0, 1], memory, 5 * S) == 0.0
    assert formula.work_out([10.0, 1], memory, 6 * S) == 10.0


OPERATORS = ["+", "-", "*", "/", "//", "%"]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]
NUMBERS = st.integers(-1000, 1000) | st.floats(-1000, 1000, allow_nan=False)
LEAVES = st.sampled_from(["t", "u"]) | st.integers(0, 50).map(str) | st.sampled_from(["0.5", "2.25", "1e-3"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    compared = st.tuples(inner, st.sampled_from(COMPARISONS), inner).map(lambda p: f"{p[0]} {p[1]} {p[2]}")
    chosen = st.tuples(inner, compared, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})")
    called = st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})")
    return two | chosen | called | inner.map(lambda one: f"-{one}") | inner.map(lambda one: f"abs({one})")


@given(st.recursive(LEAVES, _larger, max_leaves=12), NUMBERS, NUMBERS)
def test_arithmetic_is_that_of_python(text: str, t: float, u: float) -> None:
    """Any formula of allowed parts has the value that Python gives it, or fails as Python does."""
    try:
        expected = eval(text, {"__builtins__": {"min": min, "max": max, "abs": abs}}, {"t": t, "u": u})  # noqa: S307 - an oracle over texts made here
    except ArithmeticError:
        with pytest.raises((ArithmeticError, FormulaError)):
            worked_out(text, t=t, u=u)
        return
    try:
        result = worked_out(text, t=t, u=u)
    except FormulaError as error:
        refused = str(error)
        result = expected
    except OverflowError:
        refused, result = "", expected
        assert not math.isfinite(expected)
    else:
        refused = ""
    assert result == expected
    assert refused in {"", "the formula is too large from here on"}
