"""Each quality in the words of others: its OPC UA status code and its Sparkplug quality.

Numbers of OPC UA: StatusCode.csv of the OPC Foundation, meanings by OPC UA Part 8 (Data Access). Where no code says
what we mean it is the plain Uncertain. Sparkplug 3.0 knows three: 0 BAD, 192 GOOD, 500 STALE; what is uncertain
otherwise is 192 there, with its reason beside it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway.model import Quality

SPARKPLUG_BAD: Final = 0
SPARKPLUG_GOOD: Final = 192
SPARKPLUG_STALE: Final = 500


class StatusCode(NamedTuple):
    """One quality elsewhere."""

    opcua: int
    """32 bits; the upper two are the level."""
    opcua_name: str
    sparkplug: int


STATUS_CODES: Final = {
    Quality.GOOD: StatusCode(0x00000000, "Good", SPARKPLUG_GOOD),
    Quality.OUT_OF_RANGE: StatusCode(0x40940000, "UncertainEngineeringUnitsExceeded", SPARKPLUG_GOOD),
    Quality.RATE: StatusCode(0x40930000, "UncertainSensorNotAccurate", SPARKPLUG_GOOD),
    Quality.STUCK: StatusCode(0x40930000, "UncertainSensorNotAccurate", SPARKPLUG_GOOD),
    Quality.OVERFLOW: StatusCode(0x40000000, "Uncertain", SPARKPLUG_GOOD),
    Quality.RESTART: StatusCode(0x40920000, "UncertainInitialValue", SPARKPLUG_GOOD),
    Quality.CLOCK: StatusCode(0x40000000, "Uncertain", SPARKPLUG_GOOD),
    Quality.STALE: StatusCode(0x40900000, "UncertainLastUsableValue", SPARKPLUG_STALE),
    Quality.OUT_OF_SERVICE: StatusCode(0x40000000, "Uncertain", SPARKPLUG_GOOD),
    Quality.NO_REPLY: StatusCode(0x80310000, "BadNoCommunication", SPARKPLUG_BAD),
    Quality.DEVICE_ERROR: StatusCode(0x808B0000, "BadDeviceFailure", SPARKPLUG_BAD),
    Quality.WRONG_REPLY: StatusCode(0x80050000, "BadCommunicationError", SPARKPLUG_BAD),
    Quality.NOT_AVAILABLE: StatusCode(0x809B0000, "BadNoData", SPARKPLUG_BAD),
    Quality.WIRE_BREAK: StatusCode(0x808C0000, "BadSensorFailure", SPARKPLUG_BAD),
    Quality.SHORT_CIRCUIT: StatusCode(0x808C0000, "BadSensorFailure", SPARKPLUG_BAD),
    Quality.CONFIG: StatusCode(0x80890000, "BadConfigurationError", SPARKPLUG_BAD),
}
"""Of every quality there is."""
