"""All entries of the core, in the order in which they are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.vocabulary.configuration import CONFIGURATION
from gateway.vocabulary.field import FIELD
from gateway.vocabulary.running import RUNNING
from gateway.vocabulary.uplink import UPLINK

if TYPE_CHECKING:
    from gateway.vocabulary.code import Entry

CORE: Final[tuple[Entry, ...]] = (*CONFIGURATION, *FIELD, *UPLINK, *RUNNING)
