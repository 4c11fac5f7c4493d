"""How long from the start of the program to the first value at the broker, and what it takes in memory while it idles.

Run with `make bench`. The configuration is one Modbus connection, the shipped meter, played by its simulator; the
broker is mosquitto. Times are those of this machine, and a shared machine is noisy: the best of a few runs is shown
with the worst.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.config.files import example_folder
from gateway.config.load import load
from tests.conftest import Gateway, Mosquitto, Subscriber, wait_until

IDLE_S = 5.0


def main() -> None:
    """Measure and print: a line for people, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        figures = asyncio.run(_measured(Path(folder), args.runs))
    if args.json:
        json.dump(figures, sys.stdout)
    else:
        best_s, worst_s, rss_mb = figures["best_s"], figures["worst_s"], figures["rss_mb"]
        sys.stdout.write(f"first value at the broker   {best_s:.2f} s (worst of {args.runs}: {worst_s:.2f} s)\n")
        sys.stdout.write(f"memory of a Modbus gateway  {rss_mb:.1f} MB RSS after {IDLE_S:.0f} s\n")


async def _measured(folder: Path, runs: int) -> dict[str, float]:
    configuration = load(example_folder()).configuration
    assert configuration is not None
    (meters,) = [connection for connection in configuration.connections if connection.spec.name == "modbus"]
    async with meters.spec.simulate(meters.config) as simulated:
        measured = [await asyncio.to_thread(_one_run, folder / str(run), simulated.port) for run in range(runs)]
    times = [first_s for first_s, _ in measured]
    return {"best_s": min(times), "worst_s": max(times), "rss_mb": max(rss_mb for _, rss_mb in measured)}


def _one_run(folder: Path, port: int) -> tuple[float, float]:
    """Start to first value, s, and resident memory, MB."""
    folder.mkdir()
    broker = Mosquitto(folder)
    broker.start()
    subscriber = Subscriber(broker.port)
    gateway = Gateway(folder, broker.url)
    text = (example_folder() / "connections" / "meters.yaml").read_text(encoding="utf-8")
    gateway.write("connections/meters.yaml", text.replace("port: 502", f"port: {port}"))
    try:
        started_s = time.monotonic()
        gateway.start()
        wait_until(lambda: any(batch["values"] for batch in subscriber.payloads()), 30, "a value")
        first_s = time.monotonic() - started_s
        time.sleep(IDLE_S)
        return first_s, _rss_mb(gateway)
    finally:
        gateway.kill()
        subscriber.close()
        broker.stop()


def _rss_mb(gateway: Gateway) -> float:
    assert gateway.process is not None
    status = Path(f"/proc/{gateway.process.pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
