"""Names of drivers to their specifications, through the entry-point group `edge_gateway.drivers`.

Third parties add drivers by the same group. A driver that no configuration names is never imported.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.driver import DriverSpec

GROUP = "edge_gateway.drivers"


def driver_names() -> list[str]:
    """The names of all installed drivers, sorted. Imports none of them."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


@cache
def driver_spec(name: str) -> DriverSpec:
    """The specification of one driver; imports its configuration models, not its field library.

    Raises:
        LookupError: no installed driver has this name.
    """
    for entry in entry_points(group=GROUP, name=name):
        spec: DriverSpec = entry.load()
        return spec
    raise LookupError(f"no driver is called {name!r}")
