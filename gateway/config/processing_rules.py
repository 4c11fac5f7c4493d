"""What must hold between the keys that say how a value is scaled, judged and reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.config.problems import Problem, Severity, did_you_mean, quoted
from gateway.connection import Name, TagConfig
from gateway.units import ConversionError, conversion, find_unit, nearest_unit
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.config.document import Document, Step
    from gateway.connection import ValueConfig

REPORTING: Final = ("deadband", "deadband_percent_of_span", "deadband_percent_of_value", "swinging_door")
"""The ways to send less than every sample; a tag has one of them."""

_FOR_NUMBERS: Final = frozenset(
    {
        "scale",
        "offset",
        "range",
        "scaling",
        "scale_from",
        "counter",
        "publish_as",
        "max_rate_per_s",
        "deadband_percent_of_span",
        "deadband_percent_of_value",
        "swinging_door",
    }
)
_LARGEST_CONVERTED: Final = 1e250
"""No conversion of the table leads from here beyond what a float can hold."""
_LONGEST_NAME: Final = 63
_TOTAL: Final = "_total"


def processing_rules(document: Document, steps: Sequence[Step], tag: ValueConfig) -> Iterator[Problem]:
    """What is wrong with these keys of one tag, read or calculated, that the steps lead to."""
    yield from _reporting(document, steps, tag)
    yield from _units(document, steps, tag)
    if not tag.holds_numbers():
        for key in sorted(_FOR_NUMBERS & tag.model_fields_set):
            text = f"{key} has no effect on a tag of type {tag.data_type()}"
            yield document.problem(
                document.key_place((*steps, key)), text, code=Code.NO_EFFECT, severity=Severity.WARNING
            )


def tags_rules(document: Document, steps: Sequence[Step], tags: Mapping[Name, TagConfig]) -> Iterator[Problem]:
    """What is wrong with these keys of the tags of one device, whose `tags` the steps lead to."""
    for name, tag in tags.items():
        yield from _scaling(document, (*steps, name), tag)
        yield from _scale_from(document, (*steps, name), tags)
        yield from _counter(document, (*steps, name), tags)


def _reporting(document: Document, steps: Sequence[Step], tag: ValueConfig) -> Iterator[Problem]:
    said = [key for key in REPORTING if getattr(tag, key) is not None]
    for key in said[1:]:
        text = f"{key} and {said[0]} exclude each other: a tag is reported in one way"
        yield document.problem(document.key_place((*steps, key)), text)
    if tag.max_interval_s is not None and not said:
        text = "max_interval_s has no effect: without a deadband every sample is sent"
        yield document.problem(document.key_place((*steps, "max_interval_s")), text, severity=Severity.WARNING)
    has_span = tag.range is not None or (isinstance(tag, TagConfig) and tag.scaling is not None)
    if tag.deadband_percent_of_span is not None and not has_span:
        text = "deadband_percent_of_span needs to know the span"
        yield document.problem(
            document.key_place((*steps, "deadband_percent_of_span")), text, "write `range`, such as [0, 150]"
        )


def _units(document: Document, steps: Sequence[Step], tag: ValueConfig) -> Iterator[Problem]:
    if tag.unit is not None and find_unit(tag.unit) is None and tag.publish_as is None:
        near = nearest_unit(tag.unit)
        text = f"the unit {quoted(tag.unit)} is not known: it is published as written, without a code"
        hint = near and f"did you mean {quoted(near)}?"
        yield document.problem(document.value_place((*steps, "unit")), text, hint, severity=Severity.WARNING)
    if tag.publish_as is None:
        return
    place = document.value_place((*steps, "publish_as"))
    if tag.unit is None:
        yield document.problem(place, "publish_as needs `unit`, the unit to convert from")
        return
    try:
        intercept = conversion(tag.unit, tag.publish_as).intercept
    except ConversionError as error:
        yield document.problem(place, f"cannot be published as {quoted(tag.publish_as)}: {error}")
        return
    if intercept and isinstance(tag, TagConfig) and tag.scale_from is not None:
        text = f"{tag.unit} and {tag.publish_as} have different zeros, so a factor by scale_from would be wrong"
        yield document.problem(place, text)
    if max(abs(number) for number in _numbers(tag)) > _LARGEST_CONVERTED:
        yield document.problem(place, "the numbers of this tag are too large to be converted")


def _numbers(tag: ValueConfig) -> list[float]:
    scaling = tag.scaling if isinstance(tag, TagConfig) else None
    single = [tag.deadband, tag.swinging_door, tag.max_rate_per_s]
    given = [number for number in single if number is not None]
    return [tag.scale, tag.offset, *given, *(tag.range or ()), *(scaling.engineering if scaling else ())]


def _scaling(document: Document, steps: Sequence[Step], tag: TagConfig) -> Iterator[Problem]:
    if tag.scaling is None:
        return
    for key in sorted({"scale", "offset"} & tag.model_fields_set):
        text = f"{key} and scaling exclude each other: two points say it all"
        yield document.problem(document.key_place((*steps, key)), text)
    for key in ("raw", "engineering"):
        low, high = getattr(tag.scaling, key)
        if low == high:
            text = f"{key} must be two different values, but both are {low:g}"
            yield document.problem(document.value_place((*steps, "scaling", key)), text)


def _scale_from(document: Document, steps: Sequence[Step], tags: Mapping[Name, TagConfig]) -> Iterator[Problem]:
    name = str(steps[-1])
    tag = tags[name]
    if tag.scale_from is None:
        return
    factor = tags.get(tag.scale_from.tag)
    place = document.value_place((*steps, "scale_from", "tag"))
    if factor is None:
        text = f"this device has no tag {quoted(tag.scale_from.tag)}"
        yield document.problem(place, text, did_you_mean(tag.scale_from.tag, tags))
    elif factor is tag:
        yield document.problem(place, "a tag cannot be scaled by itself")
    elif factor.scale_from is not None:
        yield document.problem(place, f"{quoted(tag.scale_from.tag)} is itself scaled by another tag")
    elif not factor.holds_numbers():
        yield document.problem(place, f"{quoted(tag.scale_from.tag)} holds {factor.data_type()} and no number")
    for key in sorted({"scaling", "offset"} & tag.model_fields_set):
        yield document.problem(document.key_place((*steps, key)), f"{key} and scale_from exclude each other")


def _counter(document: Document, steps: Sequence[Step], tags: Mapping[Name, TagConfig]) -> Iterator[Problem]:
    name = str(steps[-1])
    tag = tags[name]
    if tag.counter is None:
        return
    key_place = document.key_place((*steps, "counter"))
    for key in sorted({"scaling", "scale_from"} & tag.model_fields_set):
        text = f"{key} and counter exclude each other: counts are guarded before they are scaled"
        yield document.problem(document.key_place((*steps, key)), text, "use `scale`")
    if tag.scale < 0:
        yield document.problem(document.value_place((*steps, "scale")), "a counter cannot have a negative scale")
    if tag.counter.width_bits is not None and tag.counter.rollover_at is not None:
        yield document.problem(key_place, "width_bits and rollover_at exclude each other: a meter begins again at one")
    if tag.counter.total and f"{name}{_TOTAL}" in tags:
        yield document.problem(key_place, f"the total would be called {quoted(name + _TOTAL)}, as another tag is")
    if tag.counter.total and len(name) + len(_TOTAL) > _LONGEST_NAME:
        text = f"the name {quoted(name)} is too long for a total: {_LONGEST_NAME - len(_TOTAL)} characters at most"
        yield document.problem(document.key_place(steps), text)
