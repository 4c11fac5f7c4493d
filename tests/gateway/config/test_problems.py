"""How a problem is shown, ordered and cut."""

from __future__ import annotations

from gateway.config.problems import MOST_PROBLEMS, Problem, Severity, did_you_mean, in_order, quoted


def test_problem_is_shown_with_place_and_hint() -> None:
    """The form that editors and eyes jump to: file:line:column."""
    problem = Problem("connections/press-hall.yaml", 14, 9, "unknown key 'adress'", hint="did you mean 'address'?")
    assert problem.sentence == "connections/press-hall.yaml:14:9: unknown key 'adress' (did you mean 'address'?)"


def test_problem_of_a_whole_file_is_shown_without_line() -> None:
    """Where there is no line, none is invented."""
    assert str(Problem("gateway.yaml", 0, 0, "this file is missing")) == "gateway.yaml: this file is missing"


def test_warning_says_that_it_is_one() -> None:
    """A warning cannot be mistaken for an error."""
    assert str(Problem("a.yaml", 1, 2, "odd", Severity.WARNING)) == "a.yaml:1:2: warning: odd"


def test_problems_stand_by_file_then_line_then_column() -> None:
    """Numbers are ordered as numbers: line 9 before line 10."""
    problems = [
        Problem("b.yaml", 1, 1, "x"),
        Problem("a.yaml", 10, 1, "x"),
        Problem("a.yaml", 9, 7, "x"),
        Problem("a.yaml", 9, 3, "x"),
        Problem("a.yaml", 0, 0, "x"),
    ]
    places = [(problem.file, problem.line, problem.column) for problem in in_order(problems)]
    assert places == [("a.yaml", 0, 0), ("a.yaml", 9, 3), ("a.yaml", 9, 7), ("a.yaml", 10, 1), ("b.yaml", 1, 1)]


def test_same_problem_is_shown_once() -> None:
    """Two checks that find the same do not say it twice."""
    assert len(in_order([Problem("a.yaml", 1, 1, "x"), Problem("a.yaml", 1, 1, "x")])) == 1


def test_many_problems_of_one_file_are_cut_with_their_number() -> None:
    """A file full of nonsense does not bury the problems of the other files."""
    many = [Problem("a.yaml", line, 1, "x") for line in range(1, MOST_PROBLEMS + 11)]
    shown = in_order([*many, Problem("b.yaml", 1, 1, "y")])
    assert len(shown) == MOST_PROBLEMS + 2
    assert str(shown[-2]) == f"a.yaml:{MOST_PROBLEMS + 1}:1: 10 more problems of this file follow from here"


def test_cut_problems_keep_the_worst_severity() -> None:
    """An error behind many warnings still makes the file unusable."""
    many = [Problem("a.yaml", line, 1, "x", Severity.WARNING) for line in range(1, MOST_PROBLEMS + 3)]
    assert in_order(many)[-1].severity is Severity.WARNING
    assert in_order([*many, Problem("a.yaml", 999, 1, "x")])[-1].severity is Severity.ERROR


def test_quoted_text_stays_on_one_short_line() -> None:
    """A technician's own text can neither break the line nor fill the screen."""
    assert quoted("a\nb\x07") == "'a\\nb\\x07'"
    assert len(quoted("x" * 1000)) == 62
    assert quoted("x" * 1000).endswith("...'")


def test_nearest_word_is_suggested_whatever_its_case() -> None:
    """`Adress` and `adress` both lead to `address`; what is far from everything leads nowhere."""
    assert did_you_mean("Adress", ["address", "unit"]) == "did you mean 'address'?"
    assert did_you_mean("colour", ["address", "unit"]) is None
    assert did_you_mean("x", []) is None
