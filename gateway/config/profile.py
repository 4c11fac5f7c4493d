"""What stands in a profile: the register map of a device type, with its source, its parameters and its groups."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gateway.connection import Name, Strict


class ProfileSource(Strict):
    """Where the numbers come from, so that anybody can check them."""

    document: str = Field(description="Title, version and page of the maker's document, or what it was taken from.")
    state: Literal["vendor_document", "cross_checked", "unverified"] = Field(
        description="vendor_document: typed from it; cross_checked: two sources agree; unverified: one source."
    )


class Parameter(Strict):
    """A number or text that differs from one installation to the next, such as the ratio of a current transformer."""

    description: str = Field(description="What it is, and where it is found.")
    default: float | int | str = Field(description="Its value where a device says nothing.")


class ProfileConfig(Strict):
    """A profile, whole. Its file name is its name."""

    version: Literal[1] = Field(description="Version of the file format; this release reads 1.")
    driver: str = Field(description="The driver that its tags are for.")
    description: str = Field(description="Maker and types that it is for.")
    source: ProfileSource = Field(description="Where the numbers come from.")
    parameters: dict[Name, Parameter] = Field({}, description="What a device may say with `parameters`.")
    groups: dict[Name, list[Name]] = Field(
        {}, description="Names for several tags or groups, to be picked together; `default` where nothing is picked."
    )
    device: dict[str, Any] = Field({}, description="Settings of the device, unless it says its own: max_registers ...")
    tags: dict[Name, dict[str, Any]] = Field(min_length=1, description="The points, as in a connection file.")
