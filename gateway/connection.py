"""What a technician writes of the field: connections, devices, tags. Each driver extends these three models.

Type, default, unit and description of a key are declared here once; the error messages, the JSON Schema for editors and
the reference documentation derive from them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator, model_validator

if TYPE_CHECKING:
    from collections.abc import Iterable

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
"""Name of a device or tag. It becomes a topic level, so it stays within letters, digits, `_` and `-`."""

RESERVED_NAMES = frozenset({"data", "history", "meta", "status", "alarms", "set", "gaps", "events", "health"})
"""Levels that the MQTT contract uses itself; no tag or device may be called so."""


class Doubt(NamedTuple):
    """Something that is allowed and probably not meant: `check` warns of it."""

    key: str
    """The key of the tag or of the connection that says it."""
    text: str
    hint: str | None = None
    """What to write instead, or to say that it is meant."""


class Strict(BaseModel):
    """A model that refuses unknown keys and converts nothing but whole numbers to floats."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AlarmConfig(Strict):
    """A state of a tag that somebody has to know of. Exactly one of `above`, `below`, `equals` and `bit` is given."""

    above: float | None = Field(None, description="Alarm while the value is above this, in the engineering unit.")
    below: float | None = Field(None, description="Alarm while the value is below this, in the engineering unit.")
    equals: bool | int | str | None = Field(
        None, description="Alarm while the value is this: true, false, a whole number, or one of `texts`."
    )
    bit: int | str | None = Field(None, description="Alarm while this bit is set: its number, or one of `bits`.")
    hysteresis: float = Field(
        0.0, ge=0, description="How far a value must come back over the limit before the alarm ends, in the unit."
    )
    delay_s: float = Field(0.0, ge=0, le=86_400, description="How long it must last before the alarm begins, s.")
    off_delay_s: float = Field(0.0, ge=0, le=86_400, description="How long it must be over before the alarm ends, s.")
    severity: Literal["low", "medium", "high", "critical"] = Field("medium", description="How urgent it is.")
    ends: Literal["when_normal", "when_acknowledged"] = Field(
        "when_normal",
        description="`when_acknowledged` latches: the alarm ends only after somebody has acknowledged it.",
    )
    text: str = Field("", description="What the alarm says; without it, the tag and what it did.")


class TwoPointConfig(Strict):
    """A straight line through two points, as the data plate of a transmitter gives it."""

    raw: list[float] = Field(min_length=2, max_length=2, description="Two raw values, such as [4, 20] mA.")
    engineering: list[float] = Field(
        min_length=2, max_length=2, description="What they mean, in the engineering unit, such as [0, 10] bar."
    )
    outside: Literal["keep", "clamp", "reject"] = Field(
        "keep",
        description="A raw value beyond the two: `keep` goes on along the line, `clamp` publishes the nearer end as "
        "uncertain, `reject` publishes no value.",
    )


class ScaleFromConfig(Strict):
    """Another tag of the device by which this one is multiplied."""

    tag: Name = Field(description="The tag that holds the factor.")
    power_of_ten: bool = Field(
        False, description="true: that tag holds an exponent from -10 to 10, as the scale factors of SunSpec do."
    )


class CounterConfig(Strict):
    """A meter that counts upwards. The tag always shows what the meter shows; each repair is an event."""

    width_bits: int | None = Field(
        None, ge=8, le=64, description="Width of the count in the meter; then it begins again at zero."
    )
    rollover_at: float | None = Field(
        None, gt=0, description="Reading at which the meter begins again at zero, in the engineering unit: 1000000."
    )
    total: bool = Field(
        False, description="true: also publish `<tag>_total`, which goes on through rollover, reset and exchange."
    )


class AddressConfig(Strict):
    """Where a point lives."""

    address: str = Field(description="Where the point lives, in the driver's notation.")


class ValueConfig(Strict):
    """What becomes of a value, whether it is read from a device or calculated from others."""

    unit: str | None = Field(None, description="Engineering unit as people write it, such as °C, kW or r/min.")
    description: str = Field("", description="What the point means, for people.")
    scale: float = Field(1.0, description="Engineering value = raw value x scale + offset.")
    offset: float = Field(0.0, description="Added after the scale, in the engineering unit.")
    range: list[float] | None = Field(
        None,
        min_length=2,
        max_length=2,
        description="Lowest and highest plausible value; outside it the value is published as uncertain.",
    )
    deadband: float | None = Field(
        None,
        ge=0,
        description="Smallest change worth sending, in the engineering unit; without it every sample is sent.",
    )
    deadband_percent_of_span: float | None = Field(
        None, gt=0, le=100, description="The same in percent of `range`, or of the engineering values of `scaling`."
    )
    deadband_percent_of_value: float | None = Field(
        None, gt=0, le=100, description="The same in percent of the last value sent."
    )
    swinging_door: float | None = Field(
        None,
        gt=0,
        description="Send only the points that draw the signal by straight lines with at most this error, in the "
        "engineering unit. A point is sent with its own time, when a later one shows that it is needed.",
    )
    max_interval_s: float | None = Field(
        None, gt=0, description="With a deadband or swinging door: send a sample after this time in any case, s."
    )
    max_rate_per_s: float | None = Field(
        None, gt=0, description="Fastest plausible change in one second; a faster one is published as uncertain."
    )
    stuck_after_s: float | None = Field(
        None, gt=0, description="A value that stands still for so long is published as uncertain, s."
    )
    stale_after_s: float | None = Field(
        None, gt=0, description="A last value older than this is told as uncertain, s; for tags that tell changes only."
    )
    publish_as: str | None = Field(
        None, description="Unit to convert to before publishing, such as W where `unit` is kW."
    )
    texts: dict[str, str] = Field(
        {},
        description="Meaning of each number of an enumeration, such as {0: idle, 1: running}; values stay numbers.",
        json_schema_extra={"propertyNames": {"pattern": "^-?[0-9]+$"}},
    )
    bits: dict[str, str] = Field(
        {},
        description="Meaning of each bit of a whole number, such as {0: door_open, 3: overload}; bit 0 is the least.",
        json_schema_extra={"propertyNames": {"pattern": "^[0-9]+$"}},
    )
    alarms: dict[Name, AlarmConfig] = Field({}, description="What somebody has to know of this tag, by name.")

    def data_type(self) -> str:
        """The data type in the driver's words."""
        raise TypeError(f"{type(self).__name__} must say its data type")

    def holds_text(self) -> bool:
        """Whether its values are text, which cannot be scaled, compared or counted."""
        return self.data_type() == "text"

    def holds_numbers(self) -> bool:
        """Whether its values are numbers, and neither states nor text."""
        return self.data_type() != "bool" and not self.holds_text()

    def number_parameters(self) -> dict[str, str]:
        """What makes the number beside address, type, scale, offset and unit (word order, for instance)."""
        return {}

    def doubts(self) -> Iterable[Doubt]:
        """What is allowed and probably not meant."""
        return ()


class TagConfig(ValueConfig, AddressConfig):
    """One named point of a device."""

    def keep_what_is_said(self) -> None:
        """Let go of the keys that say nothing but their defaults; the model has those for all tags.

        A tag has about 30 keys, of which a file says four, and a plant has 10 000 tags.
        """
        defaults = type(self).__pydantic_fields__
        said = self.model_fields_set
        kept = {key: value for key, value in self.__dict__.items() if key in said or value != defaults[key].default}
        object.__setattr__(self, "__dict__", kept)

    if not TYPE_CHECKING:  # a type checker shall go on finding mistyped names

        def __getattr__(self, name: str) -> Any:
            """The default of a key that the tag does not hold itself."""
            declared = type(self).__pydantic_fields__.get(name)
            return super().__getattr__(name) if declared is None else declared.get_default(call_default_factory=True)

    scaling: TwoPointConfig | None = Field(None, description="Two points instead of scale and offset.")
    scale_from: ScaleFromConfig | None = Field(
        None, description="Another tag of the device by which this one is multiplied, as in SunSpec."
    )
    counter: CounterConfig | None = Field(None, description="The tag is a meter that counts upwards.")
    period_s: float | None = Field(None, gt=0, description="Time between two readings of this tag, s.")

    @model_validator(mode="after")
    def _hold_once_what_is_alike(self) -> Self:
        """A gateway has thousands of tags, and nearly all of them say the same few keys."""
        object.__setattr__(self, "__pydantic_fields_set__", _held_once(frozenset(self.model_fields_set)))
        for key, value in self.__dict__.items():
            if value == {}:
                self.__dict__[key] = _NOTHING
        return self


_NOTHING: dict[str, Any] = {}


@lru_cache(maxsize=1024)
def _held_once(keys: frozenset[str]) -> frozenset[str]:
    return keys


Step = Literal["1min", "5min", "10min", "15min", "30min", "1h"]
"""Length of a step of the wall clock."""

STEP_S: dict[Step, float] = {"1min": 60, "5min": 300, "10min": 600, "15min": 900, "30min": 1800, "1h": 3600}


class Timing(Strict):
    """When a device is read and when it is given up. Each key may stand in a connection's `defaults` or at a device."""

    period_s: float | None = Field(None, gt=0, description="Time between two readings, s.")
    align: Step | None = Field(
        None,
        description="Read at round times of the clock instead, such as each quarter hour: 1min, 5min, 10min, 15min, "
        "30min or 1h. In the place of period_s.",
    )
    timeout_s: float | None = Field(None, gt=0, description="How long to wait for an answer, s.")
    retries: int | None = Field(None, ge=0, le=10, description="How often a reading without an answer is tried again.")
    bad_after: int | None = Field(None, ge=1, description="Failed readings in a row after which the device is BAD.")
    heartbeat_s: float | None = Field(
        None, gt=0, description="Time between two snapshots of the whole device, s, however little changes."
    )

    @field_validator("align")
    @classmethod
    def _replaces_the_period(cls, align: Step | None, info: ValidationInfo) -> Step | None:
        if align is not None and info.data.get("period_s") is not None:
            raise ValueError("align takes the place of period_s: leave one of them out")
        return align


def _tags_or_table(schema: dict[str, Any]) -> None:
    """A device has tags here, in a table, from a profile; when the models see it, they stand together in `tags`."""
    schema["required"] = [key for key in schema["required"] if key != "tags"]
    schema["anyOf"] = [{"required": ["tags"]}, {"required": ["tags_file"]}, {"required": ["profile"]}]


class DeviceConfig(Timing):
    """One PLC, meter, drive or pin header behind a connection. A driver narrows `tags` to its own tag model."""

    model_config = ConfigDict(json_schema_extra=_tags_or_table)

    description: str = Field("", description="What the device is, for people.")
    profile: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="Register map of the device type: a file in `profiles` beside gateway.yaml, or one that ships.",
    )
    pick: list[str] = Field([], description="Tags and groups of the profile; without it its usual ones.")
    parameters: dict[Name, float | int | str] = Field(
        {}, description="What the profile asks of each installation, such as {ct_ratio: 40}."
    )
    tags_file: str | None = Field(
        None,
        pattern=r"^[^/\\]+\.csv$",
        description="Table of further tags: a CSV file beside the connection file, such as press-12.csv.",
    )
    tags: dict[Name, TagConfig] = Field(min_length=1, description="The points of this device, by name.")


class ConnectionConfig(Strict):
    """One way to reach devices: one cable, one file. A driver narrows `devices` to its own device model."""

    TIMING: ClassVar[Timing] = Timing(period_s=1.0, timeout_s=1.0, retries=1, bad_after=2, heartbeat_s=60.0)
    """The driver's own timing, where the files say nothing."""

    version: Literal[1] = Field(description="Version of the file format; this release reads 1.")
    driver: str = Field(description="Which driver speaks on this connection.")
    defaults: Timing = Field(
        Timing(), description="Timing of all devices of this connection that do not say their own."
    )
    devices: dict[Name, DeviceConfig] = Field(min_length=1, description="The devices behind this connection, by name.")

    def timing(self) -> Timing:
        """The timing where the files say nothing. A driver overrides it where that depends on how it connects."""
        return self.TIMING

    def doubts(self) -> Iterable[Doubt]:
        """What of the keys at the top of the file is allowed and probably not meant."""
        return ()

    def reached_by(self) -> dict[str, object]:
        """All that reaches the devices. Where it is equal before and after a reload, the link stays open."""
        return self.model_dump(exclude={"version", "defaults", "devices"})
