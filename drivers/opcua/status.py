"""StatusCodes of OPC UA Part 4, 7.38, in the gateway's words."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from asyncua import ua

from gateway.model import Quality

NODE_GONE: Final = frozenset({"BadNodeIdUnknown", "BadNodeIdInvalid"})
"""What a server says of a node that it does not have, or no longer."""

TYPE_MISMATCH: Final = "BadTypeMismatch"
"""Said by this driver of a value that does not fit the tag's type."""

NO_NODE: Final = "BadNodeIdUnknown"
"""Said by this driver of a node in a namespace that the server does not have."""

_CODE: Final = 0xFFFF_0000
"""Severity and sub-code; the lower half holds flags (Part 4, table 176)."""

_OVERFLOW: Final = 0x0480
"""Info type "data value" and its flag "overflow": samples before this one were lost in the server's queue."""

_BAD: Final = {
    Quality.NO_REPLY: {
        "BadCommunicationError",
        "BadConnectionClosed",
        "BadDisconnect",
        "BadNoCommunication",
        "BadNotConnected",
        "BadServerNotConnected",
        "BadTimeout",
    },
    Quality.NOT_AVAILABLE: {
        "BadDataLost",
        "BadDataUnavailable",
        "BadNoData",
        "BadNoDataAvailable",
        "BadOutOfService",
        "BadWaitingForInitialData",
        "BadWaitingForResponse",
    },
    Quality.CONFIG: {
        "BadAttributeIdInvalid",
        "BadConfigurationError",
        "BadNotReadable",
        "BadUserAccessDenied",
        TYPE_MISMATCH,
        *NODE_GONE,
    },
}

_UNCERTAIN: Final = {
    "UncertainEngineeringUnitsExceeded": Quality.OUT_OF_RANGE,
    "UncertainSensorNotAccurate": Quality.OUT_OF_RANGE,
    "UncertainInitialValue": Quality.RESTART,
    "UncertainSimulatedValue": Quality.OUT_OF_SERVICE,
    "UncertainSubstituteValue": Quality.OUT_OF_SERVICE,
    "UncertainTransducerInManual": Quality.OUT_OF_SERVICE,
}
"""A sensor is "not accurate" where its value stands at one of its limits (Part 8, 6.3.1)."""

_BY_NAME: Final = {name: quality for quality, names in _BAD.items() for name in names}


@lru_cache(maxsize=256)
def name_of(code: int) -> str:
    """The code's name without its flags, such as `BadNodeIdUnknown`; `0x80FF0000` for one that no standard knows."""
    bare = code & _CODE
    name: str = ua.status_codes.get_name_and_doc(bare)[0]
    is_known = bare & 0x3FFF_0000 == 0 or name not in {"Good", "Uncertain", "Bad"}
    return name if is_known else f"0x{bare:08X}"


@lru_cache(maxsize=256)
def quality_of(code: int) -> Quality:
    """The quality of a value with this code. What is bad for a reason of the device's own is a device error."""
    match code >> 30:
        case 0:
            return Quality.GOOD
        case 1:
            return _UNCERTAIN.get(name_of(code), Quality.STALE)
        case _:
            return _BY_NAME.get(name_of(code), Quality.DEVICE_ERROR)


def samples_lost(code: int) -> bool:
    """Whether the server's queue of this item ran over before this sample."""
    return code & _OVERFLOW == _OVERFLOW
