"""Which tag rests on which: chains of derived tags, their order, and the circles that have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def circle(rests_on: Mapping[str, Iterable[str]]) -> list[str] | None:
    """The tags of a circle, its first one again at the end; None where there is none.

    Args:
        rests_on: each derived tag and the tags that it is made of; those that are no derived tags end a chain.
    """
    done: set[str] = set()
    for tag in rests_on:
        found = _circle_from(tag, rests_on, done)
        if found:
            return found
    return None


def _circle_from(tag: str, rests_on: Mapping[str, Iterable[str]], done: set[str]) -> list[str] | None:
    """Walk down from one tag with a list for a stack: a chain may be longer than Python's own stack is deep."""
    path = [tag]
    on_path = {tag}
    below: list[Iterator[str]] = [iter(rests_on[tag])]
    while path:
        following = next((one for one in below[-1] if one in rests_on and one not in done), None)
        if following is None:
            done.add(path[-1])
            on_path.remove(path.pop())
            below.pop()
        elif following in on_path:
            return [*path[path.index(following) :], following]
        else:
            path.append(following)
            on_path.add(following)
            below.append(iter(rests_on[following]))
    return None


def in_order(rests_on: Mapping[str, Iterable[str]]) -> list[str]:
    """The derived tags so that each stands behind all that it is made of. There must be no circle."""
    ordered: dict[str, None] = {}
    for tag in rests_on:
        waiting = [tag]
        while waiting:
            below = [one for one in rests_on[waiting[-1]] if one in rests_on and one not in ordered]
            if below:
                waiting += below
            else:
                ordered.setdefault(waiting.pop())
    return list(ordered)


def levels(rests_on: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How many derived tags the longest chain below each derived tag holds. There must be no circle."""
    found: dict[str, int] = {}
    for tag in in_order(rests_on):
        found[tag] = 1 + max((found[one] for one in rests_on[tag] if one in found), default=-1)
    return found
