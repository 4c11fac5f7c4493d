"""The commands that drivers bring: `edge-gateway opcua certs`. A driver's field library is not loaded for its help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.registry import driver_spec

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from gateway.driver import DriverCommand


def add_driver_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], driver: str, given: Sequence[str]
) -> bool:
    """Add the commands of one driver, if there is one and it has some; only the one that `given` names is loaded."""
    try:
        spec = driver_spec(driver)
    except Exception:  # noqa: BLE001 - a broken driver of somebody else takes no command away from the others
        return False
    if not spec.commands:
        return False
    parser = commands.add_parser(driver, help=_names(spec.commands), description=f"Tools of the driver {driver}.")
    tools = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in spec.commands:
        tool = tools.add_parser(command.name, help=command.help, description=f"{command.help.capitalize()}.")
        if command.name in given:
            command.prepare(tool)
    return True


def _names(commands: Sequence[DriverCommand]) -> str:
    return "tools of this driver: " + ", ".join(command.name for command in commands)
