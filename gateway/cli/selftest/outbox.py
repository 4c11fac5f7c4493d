"""`edge-gateway selftest outbox`: zero lost over a cut link and a killed gateway, proved at this broker in a minute."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from gateway.cli.selftest.child import Orders, configuration_of
from gateway.cli.selftest.listener import WitnessError, listening
from gateway.cli.selftest.trial import Trial, TrialError
from gateway.cli.selftest.verdict import Evidence
from gateway.cli.state_folder import SERVICE_CONFIGURATION
from gateway.config.broker_url import broker_address
from gateway.config.secrets import resolve
from gateway.config.tls_files import tls_files
from gateway.publish.settings import BrokerSettings
from gateway.publish.topics import Topics

if TYPE_CHECKING:
    import argparse

    from gateway.cli.selftest.verdict import Verdict
    from gateway.config.schema import Configuration

_LONGEST_S: Final = 120.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway selftest`."""
    parser = commands.add_parser(
        "outbox",
        help="cut the link, kill the gateway, and count what arrived; takes a minute",
        description="Runs a second gateway with readings of its own against the broker, under "
        "<path>/_gateway/<id>/selftest, and leaves the real one alone. Cuts its link twice, kills it while it sends "
        "what waited, starts it again, and counts by sequence numbers what a subscriber heard.",
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", type=Path, default=SERVICE_CONFIGURATION, help="configuration (%(default)s)"
    )
    parser.add_argument("--broker", metavar="URL", help="another broker than the configured one, with its credentials")
    parser.add_argument(
        "--spool", metavar="FOLDER", type=Path, help="a folder on the disk to be tested (default: for temporary files)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Returns 0 where every promise held, 1 where one did not or the broker is of no use, 2 for a bad configuration."""
    try:
        if args.broker is not None:
            broker_address(args.broker)
    except ValueError as error:
        return _refused(2, f"--broker: {error}")
    configuration = configuration_of(args.folder, args.broker)
    if configuration is None:
        return _refused(2, f"{args.folder} has mistakes: edge-gateway check names them")
    try:
        verdict = asyncio.run(_tried(args, configuration))
    except (WitnessError, TrialError) as error:
        return _refused(1, str(error))
    sys.stdout.write(_as_json(verdict) if args.json else _as_table(verdict))
    return 0 if verdict.good else 1


async def _tried(args: argparse.Namespace, configuration: Configuration) -> Verdict:
    settings, topics, evidence = _settings(configuration), _topics(configuration), Evidence()
    witness = replace(settings, client_id=f"{settings.client_id}-witness")
    prefix = topics.gateway_status.rpartition("/_gateway/")[0]
    with TemporaryDirectory(prefix="edge-gateway-selftest-", dir=args.spool) as spool:
        orders = Orders(str(args.folder), args.broker, spool, run=0, cable=0)
        async with listening(witness, f"{prefix}/#", evidence.take) as listener:
            try:
                async with asyncio.timeout(_LONGEST_S):
                    return await Trial(orders, settings, evidence, _say).run()
            except TimeoutError:
                raise TrialError(
                    f"not done within {_LONGEST_S:.0f} s: this machine or the broker is too busy"
                ) from None
            finally:
                listener.clear(topics.gateway_status)


def _settings(configuration: Configuration) -> BrokerSettings:
    broker = configuration.gateway.broker
    password = None if broker.password is None else resolve(broker.password, configuration.folder)
    tls = tls_files(broker.tls, configuration.folder)
    return BrokerSettings.of(broker, configuration.gateway.gateway.id, password, tls)[0]


def _topics(configuration: Configuration) -> Topics:
    identity = configuration.gateway.gateway
    return Topics(identity.location.levels(), identity.id)


def _say(what: str) -> None:
    sys.stderr.write(f"{what} ...\n")


def _as_json(verdict: Verdict) -> str:
    return json.dumps({**verdict._asdict(), "good": verdict.good}) + "\n"


def _as_table(verdict: Verdict) -> str:
    rows = [
        ("put", verdict.put, "batches, in two lives of one gateway"),
        ("arrived", verdict.arrived, f"{verdict.history} of them had waited on disk"),
        ("lost", verdict.lost, "must be 0"),
        ("lost, young", verdict.lost_young, "less than 2 s old at the kill: allowed"),
        ("twice", verdict.twice, f"at most {verdict.twice_at_most}; their names tell"),
        ("wrong", verdict.wrong, "must be 0"),
        ("kill told", int(verdict.kill_was_told), "by a gap record of reason crash: must be 1"),
    ]
    lines = [f"{name:<12}{count:>7}  {note}" for name, count, note in rows]
    result = "good: nothing was lost" if verdict.good else "NOT GOOD"
    return "\n".join([*lines, f"{result} ({verdict.seconds:.0f} s)"]) + "\n"


def _refused(code: int, why: str) -> int:
    sys.stderr.write(f"edge-gateway: {why}\n")
    return code
