"""Changed tags in the text of a file."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.config.yaml_edit import REMOVED, edited, yaml_text
from gateway.config.yaml_positions import compose

GROUP = ("devices", "d", "tags")
BLOCK = "devices:\n  d:\n    tags:\n      a: {x: 1}\n      b:\n        x: 1  # one\n        y: [1, 2]\n\n# the end\n"
FLOW = "devices: {d: {tags: {a: {x: 1}, b: {x: 1, y: [1, 2]}}}}\n"

VALUES = (
    st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1)
    | st.lists(st.integers(0, 99), min_size=1, max_size=3)
)


def tags_of(text: str) -> object:
    value = yaml.safe_load(text)
    return value["devices"]["d"]["tags"]


@pytest.mark.parametrize("text", [BLOCK, FLOW])
def test_every_kind_of_change_in_both_styles(text: str) -> None:
    """A value, a list, a new key, a key that goes, a new tag, a tag that goes."""
    changes = {"b": {"x": 2, "y": [3], "z": "t"}}
    assert tags_of(edited(text, GROUP, changes)) == {"a": {"x": 1}, "b": {"x": 2, "y": [3], "z": "t"}}
    assert tags_of(edited(text, GROUP, {"b": {"x": REMOVED}})) == {"a": {"x": 1}, "b": {"y": [1, 2]}}
    assert tags_of(edited(text, GROUP, {"b": {"y": REMOVED}})) == {"a": {"x": 1}, "b": {"x": 1}}
    assert tags_of(edited(text, GROUP, {"a": REMOVED})) == {"b": {"x": 1, "y": [1, 2]}}
    assert tags_of(edited(text, GROUP, {"b": REMOVED, "c": {"x": 5}})) == {"a": {"x": 1}, "c": {"x": 5}}


def test_everything_else_stays() -> None:
    """Comments, empty lines, what stands behind."""
    assert edited(BLOCK, GROUP, {"b": {"x": 2}}) == BLOCK.replace("x: 1  # one", "x: 2  # one")
    assert edited(BLOCK, GROUP, {"c": {"x": 5}}).endswith("        y: [1, 2]\n      c: {x: 5}\n\n# the end\n")
    assert edited(BLOCK, GROUP, {}) == BLOCK


def test_file_without_a_last_line_end_gets_its_line() -> None:
    """An editor that leaves none is no reason to join two lines."""
    assert edited("devices:\n  d:\n    tags:\n      a: {x: 1}", GROUP, {"c": {"x": 5}}).endswith(
        "a: {x: 1}\n      c: {x: 5}\n"
    )


def test_characters_before_do_not_shift_a_change() -> None:
    """Beyond ASCII, beyond the basic plane."""
    text = "# °C 𝄞\n" + BLOCK.replace("# one", "# 𝄞 é")
    assert edited(text, GROUP, {"b": {"x": 2}}) == text.replace("x: 1  #", "x: 2  #")


@given(VALUES)
def test_value_comes_back_through_the_strict_reader(value: object) -> None:
    """Written into a file, a value means the same to `check`; what would be doubtful stands in quotes."""
    document = compose(f"a: {yaml_text(value)}\nb: {{c: {yaml_text(value)}}}\n", "f")
    if isinstance(value, int) and len(str(abs(value))) > 19:
        return
    assert document.problems == []
    assert document.root is not None
    assert document.root.value == {"a": value, "b": {"c": value}}


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.just(REMOVED) | st.dictionaries(st.sampled_from("xyz"), VALUES | st.just(REMOVED), min_size=1, max_size=3),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([BLOCK, FLOW]),
)
def test_any_changes_together_are_what_they_are_one_by_one(changes: dict[str, object], text: str) -> None:
    """Edits beside each other do not disturb each other."""
    expected = {"a": {"x": 1}, "b": {"x": 1, "y": [1, 2]}}
    for name, keys in changes.items():
        if not isinstance(keys, dict):
            expected.pop(name, None)
            continue
        tag = {**expected.get(name, {}), **keys}
        expected[name] = {key: value for key, value in tag.items() if value is not REMOVED}
    assume(expected and all(expected.values()))  # a file without tags, or with an empty one, is refused before
    assert tags_of(edited(text, GROUP, changes)) == expected  # type: ignore[arg-type]  # as drawn above


def test_group_that_is_not_there_yet_is_added() -> None:
    """A device that takes all its tags from a profile has no group of its own."""
    text = "devices:\n  d:\n    profile: p\n"
    assert edited(text, GROUP, {"a": {"deadband": 1}}) == text + "    tags: {a: {deadband: 1}}\n"
