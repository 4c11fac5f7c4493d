"""The codes of the core by name, and what an entry of the vocabulary holds."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Code(StrEnum):
    """The codes of the core; a driver adds its own in its specification."""

    FILE_MISSING = "E-CFG-001"
    FILE_UNREADABLE = "E-CFG-002"
    NOT_TEXT = "E-CFG-003"
    FILE_NOT_USED = "E-CFG-004"
    NOT_YAML = "E-CFG-010"
    TAB = "E-CFG-011"
    KEY_TWICE = "E-CFG-012"
    DOUBTFUL_WORD = "E-CFG-013"
    NO_VALUE = "E-CFG-014"
    YAML_EXTRA = "E-CFG-015"
    COLON = "E-CFG-016"
    UNKNOWN_KEY = "E-CFG-020"
    MISSING_KEY = "E-CFG-021"
    WRONG_TYPE = "E-CFG-022"
    OUT_OF_LIMITS = "E-CFG-023"
    NO_CHOICE = "E-CFG-024"
    BAD_NAME = "E-CFG-025"
    BAD_FORM = "E-CFG-026"
    WRONG_COUNT = "E-CFG-027"
    TAKEN_TWICE = "E-CFG-030"
    CONTRADICTION = "E-CFG-031"
    NO_EFFECT = "E-CFG-032"
    DOUBTFUL_SETTING = "E-CFG-033"
    PLAIN_SECRET = "E-CFG-040"  # noqa: S105 - a code of an error
    NO_SECRET = "E-CFG-041"  # noqa: S105 - a code of an error
    NO_CERTIFICATE = "E-CFG-042"
    NO_DRIVER = "E-CFG-050"
    DRIVER_DEFECT = "E-CFG-051"
    TABLE = "E-CFG-060"
    TABLE_COLUMN = "E-CFG-061"
    TABLE_ROW = "E-CFG-062"
    TABLE_NUMBER = "E-CFG-063"
    PROFILE = "E-CFG-065"
    PROCESSING = "E-CFG-070"
    STATES = "E-CFG-071"
    DERIVED = "E-CFG-080"
    TEMPLATE = "E-CFG-090"
    LINK = "E-FLD-001"
    NO_REPLY = "E-FLD-002"
    REFUSED = "E-FLD-003"
    WRONG_REPLY = "E-FLD-004"
    DRIVER_FAULT = "E-FLD-005"
    BROKER_UNREACHABLE = "E-UP-001"
    BROKER_LOST = "E-UP-002"
    BROKER_REFUSED = "E-UP-003"
    BROKER_TAKEN_OVER = "E-UP-004"
    BROKER_TLS = "E-UP-005"
    MESSAGE_REFUSED = "E-UP-006"
    DISK = "E-UP-010"
    GAP = "E-UP-011"
    NO_CONFIGURATION = "E-RUN-001"
    STATE_TAKEN = "E-RUN-002"
    RELOAD_REFUSED = "E-RUN-003"
    DEFECT = "E-RUN-004"


class Entry(NamedTuple):
    """What there is to know of a code."""

    code: str
    title: str
    cause: str
    remedy: str
