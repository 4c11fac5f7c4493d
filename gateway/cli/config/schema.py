"""`edge-gateway config schema`: the JSON Schema of a file, for editors and other programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from gateway.config.json_schema import connection_schema, derived_schema, gateway_schema, profile_schema
from gateway.registry import driver_names, driver_spec

if TYPE_CHECKING:
    import argparse

_OWN: Final = {"gateway": gateway_schema, "derived": derived_schema, "profile": profile_schema}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway config`."""
    parser = commands.add_parser(
        "schema",
        help="print the JSON Schema of one kind of file: gateway, derived, profile, or a driver's connections",
        description="Editors that know the YAML language server complete and check with it while one types.",
    )
    parser.add_argument("file", metavar="FILE", choices=[*_OWN, *driver_names()], help="%(choices)s")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Print it; returns 0."""
    schema = _OWN[args.file]() if args.file in _OWN else connection_schema(driver_spec(args.file))
    json.dump(schema, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0
