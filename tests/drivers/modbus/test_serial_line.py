from __future__ import annotations

import pytest

from drivers.modbus.serial_line import SerialLine


@pytest.mark.parametrize(
    ("baudrate", "parity", "stop_bits", "bits"),
    [
        (9600, "even", None, 11),
        (9600, "odd", 1, 11),
        (9600, "none", None, 11),
        (9600, "none", 1, 10),
        (9600, "even", 2, 12),
    ],
)
def test_a_character_has_its_bits(baudrate: int, parity: str, stop_bits: int | None, bits: int) -> None:
    """Start bit, eight data bits, parity, stop bits; without a word on stop bits always eleven in all."""
    line = SerialLine(baudrate, parity, stop_bits)  # type: ignore[arg-type]  # a text of the table above
    assert line.character_s == pytest.approx(bits / baudrate)
    assert line.takes_s(256) == pytest.approx(256 * bits / baudrate)


@pytest.mark.parametrize(
    ("baudrate", "idle_ms"), [(1200, 32.08), (9600, 4.01), (19_200, 2.005), (38_400, 1.75), (115_200, 1.75)]
)
def test_frames_are_3_5_characters_apart_up_to_19200(baudrate: int, idle_ms: float) -> None:
    """And 1.75 ms above; worked out by hand for eleven bits a character."""
    assert 1000 * SerialLine(baudrate, "even", None).idle_s == pytest.approx(idle_ms, abs=0.005)
