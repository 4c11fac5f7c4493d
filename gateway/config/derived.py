"""What a technician writes in derived.yaml: virtual devices, whose tags are calculated from other tags."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import Field, StringConstraints

from gateway.connection import Name, Strict, ValueConfig
from gateway.formula.error import FormulaError
from gateway.formula.formula import formula_of

_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,62}"

TagName = Annotated[str, StringConstraints(pattern=rf"^{_NAME}\.{_NAME}$")]
"""A tag of any device: `press-12.oil_temperature`. Neither name holds a dot, so there is one way to read it."""

InputName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,31}$")]
"""The name that a formula has for a tag."""

Take = Literal[
    "mean", "min", "max", "sum", "count", "last", "standard_deviation", "time_weighted_mean", "time_in_state"
]
"""What is made of a window."""

TAKES: Final[tuple[str, ...]] = get_args(Take)

GOOD_PERCENT: Final = "good_percent"
"""Stands behind the name of a window, as its takes do: the part of it in which the source was GOOD."""

MOST_INPUTS: Final = 32
MOST_STATES: Final = 32


class FormulaConfig(ValueConfig):
    """A tag that is worked out from others."""

    value: str = Field(min_length=1, description="Formula over the inputs, such as `(t - 32) / 1.8`.")
    inputs: dict[InputName, TagName] = Field(
        min_length=1,
        max_length=MOST_INPUTS,
        description="Names in the formula, and the tag that each stands for: {t: press-12.oil_temperature}.",
    )
    type: Literal["float64", "int64", "bool"] | None = Field(
        None, description="What the result is; without it `bool` where the formula compares, else `float64`."
    )
    period_s: float | None = Field(
        None, ge=1, le=86_400, description="Work it out at this period, s, and not whenever an input arrives."
    )
    persist: bool = Field(
        False, description="Whether an integral goes on after a restart from where it was, at most 300 s back."
    )

    def data_type(self) -> str:
        """The type that is said, or the one that the formula has."""
        if self.type is not None:
            return self.type
        try:
            return "bool" if formula_of(self.value, tuple(self.inputs)).is_truth else "float64"
        except FormulaError:
            return "float64"


class WindowConfig(ValueConfig):
    """What is made of one tag over windows of time: one tag for each take, and the part that was GOOD."""

    source: TagName = Field(description="The tag that is looked at: press-12.oil_temperature.")
    window: str = Field(
        description="Length of the windows: 30s, 15min, 1h and the like, counted from midnight UTC, or 1d, 1w, 1month."
    )
    take: list[Take] = Field(
        min_length=1, max_length=len(TAKES), description="What is made of a window, one tag each: <name>_<take>."
    )
    states: dict[Name, bool | int | str] = Field(
        {},
        max_length=MOST_STATES,
        description="For time_in_state: names of states, and the value of each; one tag each: <name>_<state>_s.",
    )
    timezone: str | None = Field(
        None, description="IANA name such as Europe/Amsterdam; windows of a day and longer begin at its midnight."
    )
    good_from_percent: float = Field(
        100.0, ge=0, le=100, description="Part of a window that must have been GOOD for its values to be GOOD."
    )
    persist: bool = Field(
        False, description="Whether an open window goes on after a restart with what was saved, at most 300 s back."
    )

    def data_type(self) -> str:
        """Numbers, mostly fractional."""
        return "float64"


class DerivedDevice(Strict):
    """A virtual device: it has a name, topics and messages as any other, and no wire."""

    description: str = Field("", description="What the device is, for people.")
    heartbeat_s: float = Field(
        60.0, gt=0, description="Time between two snapshots of the whole device, s, however little changes."
    )
    tags: dict[Name, FormulaConfig] = Field({}, description="Tags that are worked out by formulas, by name.")
    windows: dict[Name, WindowConfig] = Field(
        {}, description="Tags that sum up windows of time, by the name they begin with."
    )


class DerivedConfig(Strict):
    """derived.yaml, whole."""

    version: Literal[1] = Field(description="Version of the file format; this release reads 1.")
    devices: dict[Name, DerivedDevice] = Field(min_length=1, description="The virtual devices, by name.")
