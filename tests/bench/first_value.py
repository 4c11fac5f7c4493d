"""From the start of the program to the first value at the broker, and what it takes in memory while it idles.

The configuration is one Modbus connection, the shipped meter, played by its simulator; the broker is mosquitto. Times
are those of this machine, and a shared machine is noisy: the best of a few runs is shown with the worst.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.config.files import example_folder
from gateway.config.load import load
from tests.bench.figures import Figure
from tests.conftest import Gateway, Mosquitto, Subscriber, wait_until

RUNS = 5
IDLE_S = 5.0


def measure() -> list[Figure]:
    """The time to the first value, best and worst of a few runs, and the resident memory."""
    with TemporaryDirectory() as folder:
        runs = asyncio.run(_measured(Path(folder)))
    times = [first_s for first_s, _ in runs]
    return [
        Figure("first value at the broker, best", min(times), "s"),
        Figure(f"first value at the broker, worst of {RUNS}", max(times), "s"),
        Figure(f"memory of a Modbus gateway after {IDLE_S:.0f} s", max(rss_mb for _, rss_mb in runs), "MB RSS"),
    ]


async def _measured(folder: Path) -> list[tuple[float, float]]:
    configuration = load(example_folder()).configuration
    assert configuration is not None
    (meters,) = [connection for connection in configuration.connections if connection.spec.name == "modbus"]
    async with meters.spec.simulate(meters.config) as simulated:
        return [await asyncio.to_thread(_one_run, folder / str(run), simulated.port) for run in range(RUNS)]


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
