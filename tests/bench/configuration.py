"""A plant of 10 000 tags in 200 files: how long `check` and a reload take, and what `check` takes in memory."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.figures import Figure
from tests.conftest import Gateway, Mosquitto, wait_until

FILES = 200
TAGS = 50

_MEASURED = """
import resource, sys, time
from gateway.cli.main import main
begun_s = time.perf_counter()
code = main(["check", sys.argv[1]])
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
sys.stderr.write(f"{code} {time.perf_counter() - begun_s} {peak_mb}")
"""


def measure() -> list[Figure]:
    """Seconds and megabytes of `check`, and seconds from the command to the answer of a reload."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        broker = Mosquitto(folder)
        broker.start()
        gateway = Gateway(folder, broker.url)
        try:
            for number in range(FILES):
                gateway.write(f"connections/line-{number:03d}.yaml", _connection(number))
            check_s, peak_mb = _check(gateway.folder)
            reload_s = _reload(gateway)
        finally:
            gateway.kill()
            broker.stop()
    return [
        Figure("check of 10 000 tags in 200 files", check_s, "s", bound=3.0),
        Figure("memory of that check", peak_mb, "MB", bound=150.0),
        Figure(
            "reload of one changed file among 200", reload_s, "s", bound=1.0, note="beside half a second of waiting"
        ),
    ]


def _connection(number: int) -> str:
    tags = "".join(
        f'      tag_{tag}: {{address: "holding:{tag * 2}", type: float32, unit: bar}}\n' for tag in range(TAGS)
    )
    head = f"version: 1\ndriver: modbus\nhost: 127.0.0.1\nport: {20_000 + number}\n"
    return f"{head}devices:\n  line-{number:03d}:\n    period_s: 60\n    tags:\n{tags}"


def _check(folder: Path) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(folder)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    code, seconds, megabytes = done.stderr.decode().rsplit("\n", 1)[-1].split()
    assert code == "0"
    return float(seconds), float(megabytes)


def _reload(gateway: Gateway) -> float:
    """From the signal to the answer, less the half second for which a file must be left alone."""
    gateway.start()
    wait_until(lambda: any(line["event"] == "ready" for line in gateway.logged()), 120, "ready")
    gateway.write("connections/line-007.yaml", _connection(7).replace("bar", "mbar"))
    time.sleep(0.5)
    before = sum(line["event"] == "reloaded" for line in gateway.logged())
    begun_s = time.perf_counter()
    assert gateway.process is not None
    gateway.process.send_signal(1)
    wait_until(lambda: sum(line["event"] == "reloaded" for line in gateway.logged()) > before, 60, "reloaded")
    return time.perf_counter() - begun_s
