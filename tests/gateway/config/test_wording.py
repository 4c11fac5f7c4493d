"""The message for each kind of finding, from models of every shape to the words."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pytest
from pydantic import Field, StringConstraints, field_validator, model_validator

from gateway.config.messages import fit
from gateway.config.schema import Secret
from gateway.config.yaml_positions import compose
from gateway.connection import Name, Strict


class Inner(Strict):
    must: int = Field(description="What must be said.")
    may: int = 1


class Model(Strict):
    number: float = 0
    count: int = 0
    delay_ms: int = 0
    rate_hz: float = 0
    text: str = ""
    flag: bool = False
    inner: Inner = Inner(must=1)
    numbers: list[float] = Field([], min_length=1, max_length=2)
    texts: list[str] = Field([])
    groups: dict[Name, Inner] = Field({}, min_length=1)
    mode: Literal["even", "odd", "none"] = "none"
    word: Literal["5", "on", "3.1.1"] = "5"
    level: Literal[1, 2] = 1
    either: int | str | None = None
    union: Inner | list[int] = Field([])
    colour: str = "red"
    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$", min_length=2, max_length=2)] = Field(
        "XX", description="Two capital letters."
    )
    long: str = Field("abc", min_length=2, max_length=4)
    above: int = Field(5, gt=1, lt=10)
    share: float = Field(0.5, ge=0, le=0.75)
    pair: tuple[int, int] = (0, 0)
    password: Secret | None = None
    checked: int = 0
    low: int = 0
    high: int = 1

    @field_validator("checked")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"{value} is odd: write an even number")
        if value in {50, 200}:
            raise AssertionError("at most a hundred" if value == 200 else "")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError("low stands above high")
        return self


def told(text: str) -> list[str]:
    document = compose(text, "f")
    model, problems = fit(Model, document)
    assert model is not None or problems or document.problems
    return [problem.sentence.removeprefix("f:") for problem in [*document.problems, *problems]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("number: fast", "1:9: number must be a number, not the text 'fast'"),
        ("number: true", "1:9: number must be a number, not true"),
        ("number: [1]", "1:9: number must be a number, not a list"),
        ("number: {a: 1}", "1:9: number must be a number, not a group of keys"),
        ("number: '1.5'", "1:9: number must be a number, not the text '1.5' (remove the quotes)"),
        ("number: 1,5", "1:9: number must be a number, not the text '1,5' (write a decimal point: 1.5)"),
        (
            "number: 20 °C",
            "1:9: number must be a number, not the text '20 °C' (write the number alone, without a unit)",
        ),
        ("count: 1.0", "1:8: count must be a whole number, not the number 1.0"),
        ("count: few", "1:8: count must be a whole number, not the text 'few'"),
        ("delay_ms: soon", "1:11: delay_ms must be a whole number of milliseconds, not the text 'soon'"),
        ("rate_hz: soon", "1:10: rate_hz must be a number of hertz, not the text 'soon'"),
        ("text: 5", '1:7: text must be text, not the number 5 (put it in quotes: "5")'),
        ("text: true", "1:7: text must be text, not true (put it in quotes)"),
        ("text: [a]", "1:7: text must be text, not a list"),
        ("flag: 1", "1:7: flag must be true or false, not the number 1"),
        ("flag: 'true'", "1:7: flag must be true or false, not the text 'true'"),
        ("inner: 5", "1:8: inner must be a group of keys, not the number 5"),
        ("inner: [5]", "1:8: inner must be a group of keys, not a list"),
        ("numbers: 5", "1:10: numbers must be a list such as [1, 2], not the number 5"),
        ("pair: 5", "1:7: pair must be a list such as [1, 2], not the number 5"),
        ("groups: x", "1:9: groups must be a group of keys, not the text 'x'"),
        ("numbers: [1, x]", "1:14: entry 2 of numbers must be a number, not the text 'x'"),
        ("texts:\n  - a\n  - 2", '3:5: entry 2 of texts must be text, not the number 2 (put it in quotes: "2")'),
        ("union: x", "1:8: union must be a group of keys or a list such as [1, 2], not the text 'x'"),
        ("union: {must: x}", "1:15: must must be a whole number, not the text 'x'"),
        ("union: [1, x]", "1:12: entry 2 of union must be a whole number, not the text 'x'"),
        ("either: [1]", "1:9: either must be a whole number or text, not a list"),
        ("number:\n  a: 1", "1:1: number must be a number, not a group of keys"),
    ],
)
def test_wrong_type_says_what_is_wanted_and_what_was_found(text: str, message: str) -> None:
    """Both in words that a file is written in, with what to write where that is clear."""
    assert told(text) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("above: 1", "1:8: above must be greater than 1, not 1"),
        ("above: 10", "1:8: above must be less than 10, not 10"),
        ("share: -0.5", "1:8: share must be at least 0, not -0.5"),
        ("share: 1", "1:8: share must be at most 0.75, not 1"),
        ("numbers: []", "1:10: numbers is empty; it must have at least 1 entry"),
        ("groups: {}", "1:9: groups is empty; it must have at least 1 entry"),
        ("numbers: [1, 2, 3]", "1:10: numbers must have at most 2 entries, not 3"),
        ("long: a", "1:7: long must have at least 2 characters"),
        ("long: abcde", "1:7: long must have at most 4 characters"),
        ("code: ab", "1:7: code must be of the right form, not the text 'ab' (Two capital letters)"),
    ],
)
def test_value_out_of_bounds_names_the_bound(text: str, message: str) -> None:
    """The limit and the value stand side by side."""
    assert told(text) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mode: evne", "1:7: mode must be one of even, odd, none, not the text 'evne' (did you mean even?)"),
        ("mode: Even", "1:7: mode must be one of even, odd, none, not the text 'Even' (did you mean even?)"),
        ("mode: x", "1:7: mode must be one of even, odd, none, not the text 'x'"),
        ("mode: 5", "1:7: mode must be one of even, odd, none, not the number 5"),
        ("mode: [even]", "1:7: mode must be one of even, odd, none, not a list"),
        ("word: 5", '1:7: word must be one of "5", "on", 3.1.1, not the number 5 (write "5", in quotes)'),
        ("level: 3", "1:8: level must be one of 1, 2, not the number 3"),
        ("level: '2'", "1:8: level must be one of 1, 2, not the text '2' (remove the quotes)"),
    ],
)
def test_choice_lists_what_may_be_chosen(text: str, message: str) -> None:
    """As it must stand in the file, with the nearest first guess."""
    assert told(text) == [message]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("inner: {}", ["1:1: the key 'must' is missing in inner (What must be said)"]),
        ("inner: {mst: 1}", ["1:9: unknown key 'mst' (did you mean 'must'?)"]),
        ("inner: {must: 1, x: 1}", ["1:18: unknown key 'x' (valid keys: must, may)"]),
        ("inner: {must: 1, mya: 1}", ["1:18: unknown key 'mya' (did you mean 'may'?)"]),
        ("nmuber: 1", ["1:1: unknown key 'nmuber' (did you mean 'number'?)"]),
        ("colourless: 1", ["1:1: unknown key 'colourless' (did you mean 'colour'?)"]),
        ("zzz: 1", ["1:1: unknown key 'zzz'"]),
        ("groups:\n  a: {may: 2}", ["2:3: the key 'must' is missing in a (What must be said)"]),
    ],
)
def test_unknown_and_missing_keys(text: str, messages: list[str]) -> None:
    """A mistyped key is one problem, not an unknown key and a missing one."""
    assert told(text) == messages


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("groups: {a b: {must: 1}}", "the name 'a b' must consist of letters, digits, _ and -, at most 63, "),
        ("groups: {_a: {must: 1}}", "'_a' begins with _, which is kept for the gateway's own names"),
        ("groups: {-a: {must: 1}}", "the name '-a' must consist of letters, digits, _ and -, at most 63, "),
        ("groups: {'': {must: 1}}", "the name '' must consist of letters, digits, _ and -, at most 63, "),
    ],
)
def test_names_have_their_rule_in_words(text: str, message: str) -> None:
    """No regular expression reaches a technician."""
    (line,) = told(text)
    assert line.startswith(f"1:10: {message}")


def test_nothing_is_told_of_what_stands_under_a_wrong_name() -> None:
    """What stands there may be no group at all; the name comes first."""
    (line,) = told("groups:\n  a b:\n    x: 1\n    y: 2\n")
    assert line.startswith("2:3: the name 'a b' must ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("checked: 7", "1:10: 7 is odd: write an even number"),
        ("checked: 200", "1:10: at most a hundred"),
        ("checked: 50", "1:10: checked is not valid"),
        ("low: 3\nhigh: 2", "1:1: low stands above high"),
    ],
)
def test_a_validator_speaks_for_itself(text: str, message: str) -> None:
    """Its text is shown as it is, without pydantic's own words before it."""
    assert told(text) == [message]


def test_secret_is_not_shown_by_any_finding() -> None:
    """A name that is no name may be the password itself."""
    (line,) = told("password: {secret: 'hunter2 !'}")
    assert line == "1:20: secret must be the name of a secret: letters, digits, '.', _ and -"
    (line,) = told("password: {secret: 'hunter2', x: 1}")
    assert "hunter2" not in line


def test_all_findings_are_told_in_one_run() -> None:
    """One file, many mistakes, each at its place."""
    text = "number: a\ncount: 1.5\nmode: x\ninner: {x: 1}\nnumbers: [1, b]\n"
    places = [line.partition(": ")[0] for line in told(text)]
    assert sorted(places) == ["1:9", "2:8", "3:7", "4:1", "4:9", "5:14"]


def test_what_the_reader_refused_is_not_refused_again() -> None:
    """A word without quotes that was told already is no wrong type on top."""
    assert len(told("number: no\n")) == 1
    assert len(told("numbers: [08, 1]\n")) == 1
    assert len(told("inner:\n")) == 1
    assert len(told("inner: {must:\n}\n")) == 1


def test_key_that_cannot_be_read_is_not_missing() -> None:
    """In `{must 1}` the key is there, only its colon is not."""
    assert told("inner: {must 1}\n") == ["1:9: 'must 1' has no value (a ':' is missing after the key)"]


def test_unknown_kind_of_finding_keeps_pydantic_s_words() -> None:
    """A kind that nobody thought of is told, if less well."""

    class Odd(Strict):
        when: bytes = b""

    document = compose("when: 5\n", "f")
    _, problems = fit(Odd, document)
    assert [problem.sentence for problem in problems] == ["f:1:7: when: Input should be a valid bytes"]
