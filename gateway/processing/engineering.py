"""From what a technician wrote of a tag to what the stages work with, in the unit that is published.

A conversion costs nothing while values flow: it goes into scale and offset, and into all that is given in the unit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.connection import TagConfig
from gateway.model import Counter, Outside, ScaleFrom, TwoPoint
from gateway.processing.scaling import meant
from gateway.units import conversion

if TYPE_CHECKING:
    from gateway.connection import CounterConfig, TwoPointConfig, ValueConfig
    from gateway.model import Tag
    from gateway.units import Conversion

_PERCENT = 100


def engineered(tag: Tag, config: ValueConfig) -> Tag:
    """The tag with all that its configuration says of scaling, validity and reporting."""
    judged = replace(
        _as_read(tag, config) if isinstance(config, TagConfig) else tag,
        deadband=_deadband(config),
        deadband_percent=config.deadband_percent_of_value,
        swinging_door=config.swinging_door,
        max_interval_s=config.max_interval_s,
        max_rate_per_s=config.max_rate_per_s,
        stuck_after_s=config.stuck_after_s,
        stale_after_s=config.stale_after_s,
    )
    to = _conversion(config)
    return judged if to is None else _converted(judged, config.publish_as, to)


def published_limit(config: ValueConfig, limit: float | None) -> float | None:
    """A limit that is written in the unit of the tag, in the unit that is published."""
    to = _conversion(config)
    return limit if to is None or limit is None else _moved(limit, to)


def published_difference(config: ValueConfig, difference: float) -> float:
    """A difference that is written in the unit of the tag, in the unit that is published."""
    to = _conversion(config)
    return difference if to is None else float(meant(difference) * to.slope)


def span_of(config: ValueConfig) -> tuple[float, float] | None:
    """The range of a tag, else the engineering values of its two points; None where it has neither."""
    if config.range is not None:
        return _pair(config.range)
    scaling = config.scaling if isinstance(config, TagConfig) else None
    return None if scaling is None else _pair(scaling.engineering)


def _conversion(config: ValueConfig) -> Conversion | None:
    """From the unit of a tag to the one that is published; None where they are the same."""
    if config.unit is None or config.publish_as is None:
        return None
    return conversion(config.unit, config.publish_as)


def _as_read(tag: Tag, config: TagConfig) -> Tag:
    return replace(
        tag,
        scaling=None if config.scaling is None else _two_point(config.scaling),
        scale_from=None if config.scale_from is None else ScaleFrom(**config.scale_from.model_dump()),
        counter=None if config.counter is None else Counter(_turn(config.counter, config.scale), config.counter.total),
    )


def _two_point(config: TwoPointConfig) -> TwoPoint:
    return TwoPoint(_pair(config.raw), _pair(config.engineering), Outside(config.outside))


def _turn(config: CounterConfig, scale: float) -> float | None:
    """Raw counts of one turn of the meter."""
    if config.width_bits is not None:
        return float(1 << config.width_bits)
    return None if config.rollover_at is None else float(meant(config.rollover_at) / abs(meant(scale)))


def _deadband(config: ValueConfig) -> float | None:
    if config.deadband_percent_of_span is None:
        return config.deadband
    low, high = span_of(config) or (0.0, 0.0)
    return float(abs(meant(high) - meant(low)) * meant(config.deadband_percent_of_span) / _PERCENT)


def _converted(tag: Tag, unit: str | None, to: Conversion) -> Tag:
    return replace(
        tag,
        unit=unit,
        scale=float(meant(tag.scale) * to.slope) if tag.scaling is None else tag.scale,
        offset=_moved(tag.offset, to) if tag.scaling is None else tag.offset,
        scaling=tag.scaling and replace(tag.scaling, engineering=_both(tag.scaling.engineering, to)),
        range=tag.range and _both(tag.range, to),
        deadband=_stretched(tag.deadband, to),
        swinging_door=_stretched(tag.swinging_door, to),
        max_rate_per_s=_stretched(tag.max_rate_per_s, to),
    )


def _moved(number: float, to: Conversion) -> float:
    return float(meant(number) * to.slope + to.intercept)


def _both(ends: tuple[float, float], to: Conversion) -> tuple[float, float]:
    return _moved(ends[0], to), _moved(ends[1], to)


def _stretched(difference: float | None, to: Conversion) -> float | None:
    return None if difference is None else float(meant(difference) * to.slope)


def _pair(two: list[float]) -> tuple[float, float]:
    return two[0], two[1]
