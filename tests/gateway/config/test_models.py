"""Finding what a place of a file may hold."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from gateway.config.models import KEY, allowed_at, alternatives, choices_at, field_at, fields_of, keys_at
from gateway.config.schema import GatewayConfig, Secret
from gateway.connection import ConnectionConfig, Name, Strict, Timing


class Serial(Strict):
    port: str = Field(description="Device file.")
    parity: Literal["even", "odd"] = "even"


class Socket(Strict):
    host: str = Field(description="Host name.")
    port: int = 502


class Cable(Strict):
    link: Serial | Socket
    level: Literal["high", "low"] | int | None = None
    pins: list[Annotated[int, Field(ge=0)]] = Field([])
    pair: tuple[int, int] = (0, 1)
    second: str = Field("", alias="2nd", description="Second.")
    spares: dict[Name, Serial] = Field({})


def test_keys_of_a_group() -> None:
    """The keys stand in the order of their declaration."""
    assert keys_at(GatewayConfig, ()) == ["version", "gateway", "broker", "publish", "outbox", "clock"]
    assert keys_at(ConnectionConfig, ("devices", "x", "tags", "y"))[:3] == ["address", "unit", "description"]


def test_keys_of_a_choice_of_groups() -> None:
    """Where several groups may stand, the keys of all are known, each once."""
    assert keys_at(Cable, ("link",)) == ["port", "parity", "host"]


def test_member_of_a_union_that_pydantic_names_is_passed_over() -> None:
    """The library says (link, Socket, host); the file has link and host."""
    assert field_at(Cable, ("link", "Socket", "host")) == Socket.model_fields["host"]
    assert keys_at(Cable, ("link", "Serial")) == ["port", "parity", "host"]


def test_lists_mappings_and_aliases_are_followed() -> None:
    """Every kind of place leads on."""
    assert allowed_at(Cable, ("pins", 3)) == [int]
    assert allowed_at(Cable, ("pair", 0)) == [int]
    assert allowed_at(Cable, ("spares", "left", "parity")) == [Literal["even", "odd"]]
    assert allowed_at(Cable, ("spares", "left", KEY)) == [Serial]
    assert "2nd" in fields_of(Cable)


def test_choices_of_a_place() -> None:
    """Only literals are choices."""
    assert choices_at(Cable, ("level",)) == ["high", "low"]
    assert choices_at(Cable, ("link", "parity")) == ["even", "odd"]
    assert choices_at(GatewayConfig, ("broker", "url")) == []
    assert choices_at(GatewayConfig, ("version",)) == [1]


@pytest.mark.parametrize("steps", [("nothing",), ("broker", "nothing"), ("version", "x", 1)])
def test_steps_that_lead_nowhere_are_no_error(steps: tuple[str | int, ...]) -> None:
    """Any nonsense in a file can be asked about."""
    assert isinstance(keys_at(GatewayConfig, steps), list)
    assert isinstance(choices_at(GatewayConfig, steps), list)


def test_field_of_an_unknown_key_is_that_of_its_group() -> None:
    """The last declared key on the way."""
    assert field_at(GatewayConfig, ("broker", "nothing")) == GatewayConfig.model_fields["broker"]
    assert field_at(GatewayConfig, ("nothing",)) is None


def test_alternatives_leave_none_out() -> None:
    """A file cannot say None."""
    assert list(alternatives(Secret | None)) == [Secret]
    assert list(alternatives(Annotated[int | str | None, "x"])) == [int, str]
    assert list(alternatives(Timing)) == [Timing]
