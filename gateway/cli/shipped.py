"""Where the shipped configuration stands: beside the packages in a checkout, under `share` once installed."""

from __future__ import annotations

import sys
from pathlib import Path

import gateway


def shipped_configuration() -> Path:
    """The folder that a technician copies to /etc/edge-gateway."""
    checkout = Path(gateway.__file__).parent.parent / "config"
    return checkout if checkout.is_dir() else Path(sys.prefix) / "share" / "edge-gateway" / "config"
