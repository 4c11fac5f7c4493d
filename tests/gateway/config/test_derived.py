"""derived.yaml: read with the others, held against them, and harming none of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.derived import DerivedConfig, FormulaConfig
from gateway.config.derived_file import check_derived
from gateway.config.derived_names import Known, SourceTag, known_of, rests_on, takes_of, with_derived
from gateway.config.files import Source, example_folder
from gateway.config.json_schema import derived_schema
from gateway.config.problems import Severity
from gateway.config.yaml_positions import compose

if TYPE_CHECKING:
    from tests.gateway.config.conftest import ConfigurationFolder

CASES = Path(__file__).parents[2] / "cases" / "config"
KNOWN = Known({"press-12.state": SourceTag(1.0, "float64"), "press-12.mode": SourceTag(1.0, "text")}, {"press-12": "c"})

HEAD = "version: 1\ndevices:\n  hall:\n"

GOOD = """\
version: 1
devices:
  hall:
    tags:
      oil_f: {inputs: {t: press-12.oil_temperature}, value: t * 1.8 + 32}
"""


def write(folder: ConfigurationFolder, text: str) -> None:
    (folder.path / "derived.yaml").write_bytes(text.encode())


def problems_of(text: str) -> list[str]:
    return [
        problem.sentence
        for problem in check_derived(Source(Path(), "derived.yaml", text.encode(), text), KNOWN).problems
    ]


def formula(value: str) -> str:
    return f"{HEAD}    tags:\n      a:\n        inputs: {{s: press-12.state}}\n        value: {value}\n"


def test_a_folder_without_derived_yaml_has_nothing_derived(folder: ConfigurationFolder) -> None:
    """Most gateways have none."""
    configuration = folder.load().configuration
    assert configuration is not None
    assert configuration.derived is None


def test_derived_yaml_is_part_of_the_configuration(folder: ConfigurationFolder) -> None:
    """Its tags are there, and its bytes are in the digest that tells two gateways apart."""
    before = folder.load().configuration
    write(folder, GOOD)
    after = folder.load().configuration
    assert before is not None
    assert after is not None
    assert after.derived is not None
    assert list(rests_on(after.derived)) == ["hall.oil_f"]
    assert before.digest != after.digest
    assert after.files["derived.yaml"] == GOOD.encode()


@pytest.mark.parametrize(
    "text", ["", "nonsense\n", GOOD.replace("t *", "x *"), GOOD + "\tx: 1\n", GOOD.replace("1.8", "\0")]
)
def test_a_mistake_in_it_leaves_the_connections_alone(folder: ConfigurationFolder, text: str) -> None:
    """The gateway runs without derived tags, and says so."""
    write(folder, text)
    result = folder.load()
    assert result.configuration is not None
    assert len(result.configuration.connections) == 1
    assert result.configuration.derived is None
    assert result.left_out == ("derived.yaml",)
    assert {problem.file for problem in result.errors} == {"derived.yaml"}


def test_a_folder_in_its_place_is_told(folder: ConfigurationFolder) -> None:
    """What cannot be read is an error of this file."""
    os.mkdir(folder.path / "derived.yaml")  # noqa: PTH102 - a folder, said shortly
    assert folder.told() == ["derived.yaml: this is a folder, not a file"]


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("s + x", "7:20"),
        ('"s + x"', "7:21"),
        ("'s + x'", "7:21"),
        ("\"s == 'a' or x\"", "7:29"),
        ("'s == \"é\" or x'", "7:29"),
        ('"s \\u002b x"', "7:16"),
        ("|\n          s + x", "7:16"),
        (">\n          s +\n          x", "7:16"),
    ],
)
def test_an_error_stands_at_its_character_where_that_can_be_told(value: str, place: str) -> None:
    """In a text that stands in the file as it is read; else the text itself is named."""
    (told,) = problems_of(formula(value))
    assert told.startswith(f"derived.yaml:{place}: 'x' is neither an input nor a function")


def test_a_circle_that_begins_at_a_window_is_told_at_that_window() -> None:
    """Over two devices: the window of one looks at a tag of the other that is made of it."""
    text = (
        "version: 1\ndevices:\n  one:\n    windows:\n      w: {source: two.t, window: 1min, take: [max]}\n"
        "  two:\n    tags:\n      t: {inputs: {m: one.w_max}, value: m + 1}\n"
    )
    (told,) = problems_of(text)
    assert told.startswith("derived.yaml:5:7: w_max would be made of itself: one.w_max <- two.t <- one.w_max")


def test_a_text_is_no_number_and_has_no_mean() -> None:
    """Where the type of a source is known, the check tells what would be BAD for ever."""
    text = (
        "version: 1\ndevices:\n  hall:\n    tags:\n      a: {inputs: {m: press-12.mode}, value: m * 2}\n"
        "    windows:\n      w: {source: press-12.mode, window: 1min, take: [last, mean, count]}\n"
    )
    told = problems_of(text)
    assert told[0].startswith("derived.yaml:5:20: press-12.mode is a text, and the formula needs a number")
    assert told[1:] == ["derived.yaml:7:61: press-12.mode is a text, which has no mean"]


def test_rules_of_any_tag_hold_for_derived_ones() -> None:
    """Limits the wrong way round, for instance."""
    (told,) = problems_of(formula("s").replace("value: s", "value: s\n        range: [5, 1]"))
    assert told.startswith("derived.yaml:8:16: range must begin with its lowest value, but 5 is above 1")


def test_counters_offer_their_totals(folder: ConfigurationFolder) -> None:
    """A guarded total is a tag that others can be made of."""
    folder.connection(
        text="version: 1\ndriver: sim\ndevices:\n  m:\n    tags:\n      e: {address: counter, counter: {total: true}}\n"
    )
    write(folder, GOOD.replace("press-12.oil_temperature", "m.e_total"))
    assert folder.told() == []
    configuration = folder.load().configuration
    assert configuration is not None
    assert set(known_of(configuration.connections, whole=True).tags) == {"m.e", "m.e_total"}


def test_periods_of_derived_tags_follow_their_inputs() -> None:
    """Through a chain, and a period of its own stands above."""
    config = DerivedConfig.model_validate(
        {
            "version": 1,
            "devices": {
                "h": {
                    "tags": {
                        "a": {"inputs": {"x": "p.slow", "y": "p.fast"}, "value": "x + y"},
                        "b": {"inputs": {"x": "h.a"}, "value": "x"},
                        "c": {"inputs": {"x": "h.a"}, "value": "x", "period_s": 30},
                        "d": {"inputs": {"x": "h.c"}, "value": "x > 1"},
                    }
                }
            },
        }
    )
    known = Known({"p.slow": SourceTag(10.0, "int16"), "p.fast": SourceTag(2.0, "int16")})
    tags = with_derived(known, config, list(rests_on(config)))
    assert [tags[f"h.{name}"].period_s for name in "abcd"] == [2.0, 2.0, 30.0, 30.0]
    assert tags["h.d"].type == "bool"


def test_a_window_names_its_tags_by_take_and_state() -> None:
    """In the order of the file, each once, the good part last."""
    config = DerivedConfig.model_validate(
        {
            "version": 1,
            "devices": {
                "h": {
                    "windows": {
                        "w": {
                            "source": "p.s",
                            "window": "1h",
                            "take": ["max", "time_in_state", "max", "count"],
                            "states": {"on": 1},
                        }
                    }
                }
            },
        }
    )
    names = [take.name for take in takes_of("w", config.devices["h"].windows["w"])]
    assert names == ["w_max", "w_count", "w_on_s", "w_good_percent"]


def test_a_formula_that_cannot_be_read_has_a_type_all_the_same() -> None:
    """The rules go on looking at the other keys of the tag."""
    assert FormulaConfig(value="((", inputs={"t": "a.b"}).data_type() == "float64"


PLAUSIBLE = [example_folder() / "derived.yaml", CASES / "derived_good" / "derived.yaml"]
BROKEN = ["derived_texts", "derived_window_keys", "derived_key_mistyped"]


def is_valid(path: Path) -> bool:
    root = compose(path.read_text(encoding="utf-8"), path.name).root
    assert root is not None
    return bool(jsonschema.Draft202012Validator(derived_schema()).is_valid(root.value))


def test_the_json_schema_agrees_with_the_check() -> None:
    """An editor marks what the check refuses, and nothing that it takes."""
    jsonschema.Draft202012Validator.check_schema(derived_schema())
    assert [is_valid(path) for path in PLAUSIBLE] == [True, True]
    assert [is_valid(CASES / name / "derived.yaml") for name in BROKEN] == [False, False, False]


LINES = ["version: 1\n", "devices:\n", "  hall:\n", "    tags:\n", "    windows:\n", "      a: ", "window: ", "take: "]
WORDS = ["inputs: ", "value: ", "t", "press-12.state", "15min", "1d", "[mean]", "t + 1", "hall.a", "states: {on: 1}"]
PIECES = st.sampled_from([*"{}[]:,-#\"'|> \n", *LINES, *WORDS])


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, max_size=40).map("".join))
def test_whatever_stands_in_the_file_only_problems_come_back(text: str) -> None:
    """Nothing is raised; what is used has no error."""
    outcome = check_derived(Source(Path(), "derived.yaml", text.encode(), text), KNOWN)
    errors = [problem for problem in outcome.problems if problem.severity is Severity.ERROR]
    assert (outcome.config is None) == bool(errors)
