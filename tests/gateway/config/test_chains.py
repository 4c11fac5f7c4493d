"""The order of derived tags, and circles in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.config.chains import circle, in_order, levels


def test_a_circle_is_told_with_its_first_tag_again_at_its_end() -> None:
    """The way around can be read off."""
    assert circle({"a": ["c"], "b": ["a"], "c": ["b", "x"]}) == ["a", "c", "b", "a"]
    assert circle({"a": ["a"]}) == ["a", "a"]


def test_the_way_into_a_circle_is_not_part_of_it() -> None:
    """Only what rests on itself is named."""
    assert circle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]


def test_two_ways_to_the_same_tag_are_no_circle() -> None:
    """A diamond settles."""
    rests_on = {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": ["x"]}
    assert circle(rests_on) is None
    assert levels(rests_on) == {"a": 0, "b": 1, "c": 1, "d": 2}


def test_a_chain_of_thousands_of_tags_is_walked() -> None:
    """No stack of the interpreter limits it."""
    chain = {f"t{n}": [f"t{n + 1}"] for n in range(20_000)}
    assert circle(chain) is None
    assert circle({**chain, "t20000": ["t0"]}) is not None
    assert levels(chain)["t0"] == 19_999


GRAPHS = st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefghxy"), max_size=4))


@given(GRAPHS)
def test_either_there_is_a_circle_or_there_is_an_order(rests_on: dict[str, list[str]]) -> None:
    """A circle is a real one; without one, each tag stands behind all that it is made of."""
    found = circle(rests_on)
    if found is not None:
        assert found[0] == found[-1]
        assert all(found[n + 1] in rests_on[found[n]] for n in range(len(found) - 1))
        return
    ordered = in_order(rests_on)
    assert sorted(ordered) == sorted(rests_on)
    for position, tag in enumerate(ordered):
        assert all(one in ordered[:position] for one in rests_on[tag] if one in rests_on)
