"""Data as devices hold them, and what must hold of every value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Quality

if TYPE_CHECKING:
    from random import Random

    from drivers.modbus.decode import Decoded


def random_data(rng: Random, size: int) -> bytes:
    """Any bytes, and often those that are special in some type."""
    match rng.randrange(6):
        case 0:
            return bytes(size)
        case 1:
            return b"\xff" * size
        case 2:
            return (rng.choice((b"\x80\x00", b"\x7f\xff", b"\x7f\xc0", b"\x7f\x80", b"\x99\x99", b"AB")) * size)[:size]
    return rng.randbytes(size)


def checked(decoded: Decoded) -> str:
    """Every value must be of a kind that the model allows, and what is missing must say so."""
    values, quality, raw = decoded
    for at, value in enumerate(values):
        if value is None:
            assert quality is not None and raw is not None, "a missing value without a quality"  # noqa: PT018 - one fact
            assert quality[at] is Quality.NOT_AVAILABLE
            assert at in raw
        else:
            assert quality is None or quality[at] is Quality.GOOD
            assert isinstance(value, bool | int | float | str)
            assert not isinstance(value, float) or value - value == 0.0, "a float that is no number"
    return "decoded"
