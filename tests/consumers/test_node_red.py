"""The flow for Node-RED stores each value once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import ABSENT, Batch, Held, Quality
from gateway.outbox.entry import Entry
from gateway.publish.json import JsonEncoder
from gateway.publish.topics import Topics
from gateway.testing import SAMPLE_TIME, sample_batch, sample_plan
from tests.conftest import free_port
from tests.consumers.conftest import CONSUMERS
from tests.faults.uplink.rig import DEVICES, TAGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.conftest import Mosquitto
    from tests.faults.uplink.rig import Rig

    Uplink = Callable[[int], AbstractAsyncContextManager[Rig]]

FLOW = CONSUMERS / "node-red-flow.json"
RUN = "000042-8c1f9a3e"
NODE = shutil.which("node")
NODE_RED = os.environ.get("NODE_RED") or shutil.which("node-red")
"""Its program; `NODE_RED` names red.js of an installation elsewhere. It is too large to be fetched for a test."""

HARNESS = """
const lines = require("fs").readFileSync(0, "utf8").trim().split("\\n");
const kept = {};
const context = { get: (name) => kept[name], set: (name, value) => { kept[name] = value; } };
const rows = new Function("msg", "context", process.argv[1]);
for (const line of lines) {
    const made = rows({ topic: "t", payload: JSON.parse(line) }, context);
    for (const row of made ? made.payload : []) { console.log(JSON.stringify(row)); }
}
"""


def rows_of(messages: list[bytes]) -> list[dict[str, Any]]:
    """What the flow's function makes of these messages, run by node."""
    if NODE is None:
        pytest.skip("node is not installed (apt-get install nodejs)")
    (function,) = [node["func"] for node in json.loads(FLOW.read_text("utf-8")) if node["type"] == "function"]
    lines = b"\n".join(messages)
    done = subprocess.run([NODE, "-e", HARNESS, function], input=lines, stdout=subprocess.PIPE, check=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def messages_of(batch: Batch, *, seq: int, history: bool = False, max_bytes: int = 65_536) -> list[bytes]:
    entry = Entry(batch.plan.device, RUN, seq, batch, history)
    return [message.payload for message in JsonEncoder(Topics(["acme"], "gw-1")).encode(entry, max_bytes)]


def test_the_flow_makes_one_row_of_each_value() -> None:
    """Value, quality, time and history; a bad tag without a value; nothing of what is held."""
    batch = sample_batch(sample_plan(), [71.5, None, ABSENT])
    batch.quality[1] = Quality.NO_REPLY
    batch.held = {2: Held(5, Quality.GOOD, SAMPLE_TIME)}
    batch.offsets = [250, 0, 0]
    common = {"device": "press-12", "run": RUN, "seq": 3, "history": True}
    assert rows_of(messages_of(batch, seq=3, history=True)) == [
        {**common, "tag": "temperature", "time": "2026-11-24T10:15:00.500Z", "value": 71.5, "quality": "good"},
        {**common, "tag": "running", "time": "2026-11-24T10:15:00.250Z", "value": None, "quality": "bad:no_reply"},
    ]


def test_the_flow_drops_what_comes_twice_and_keeps_every_part() -> None:
    """By device, run, seq and part."""
    tags = 60
    plan = sample_plan("press-12", *(sample_plan().tags[2].__class__(f"t{n}", str(n), "uint16") for n in range(tags)))
    sent = [one for seq in (1, 2) for one in messages_of(sample_batch(plan, [seq] * tags), seq=seq, max_bytes=420)]
    assert len(sent) > 4
    rows = rows_of([*sent, *sent, *sent[:3]])
    assert len(rows) == len({(row["seq"], row["tag"]) for row in rows}) == 2 * tags


@pytest.mark.mosquitto
@pytest.mark.slow
async def test_node_red_stores_each_value_once_through_an_outage(
    mosquitto: Mosquitto, uplink: Uplink, tmp_path: Path
) -> None:
    """The whole flow, as it is but for broker and file: nothing is missing and nothing is there twice."""
    if NODE is None or NODE_RED is None:
        pytest.skip("Node-RED is not installed (npm install node-red; NODE_RED=.../node_modules/node-red/red.js)")
    file = tmp_path / "rows.jsonl"
    folder = tmp_path / "node-red"
    folder.mkdir()
    flow = FLOW.read_text("utf-8").replace('"1883"', f'"{mosquitto.port}"')
    (folder / "flows.json").write_text(flow.replace("/tmp/edge-gateway-rows.jsonl", str(file)))  # noqa: S108 - named in the flow
    (folder / "settings.js").write_text(f'module.exports = {{ uiHost: "127.0.0.1", uiPort: {free_port()} }};')
    command = [NODE, NODE_RED, "-u", str(folder), "-s", str(folder / "settings.js"), "flows.json"]
    process = started(command)
    try:
        async with uplink(mosquitto.port) as rig:
            await rig.until(lambda: file.exists() and file.stat().st_size > 0, 60, "Node-RED stores")
            begun = min(row["seq"] for row in _stored(file))
            mosquitto.stop()
            await rig.until(lambda: rig.outbox.counters.waiting_on_disk > 0, 20, "history")
            mosquitto.start()
            await rig.drained()
            wanted = (rig.made - begun) * DEVICES * TAGS
            await rig.until(lambda: len([r for r in _stored(file) if r["seq"] > begun]) >= wanted, 60, "all stored")
        rows = [row for row in _stored(file) if row["seq"] > begun]
        assert len(rows) == wanted == len({(row["device"], row["seq"], row["tag"]) for row in rows})
        assert all(row["value"] == row["seq"] for row in rows)
    finally:
        process.terminate()
        process.wait(20)


def started(command: list[str]) -> subprocess.Popen[bytes]:
    """Node-RED as a process."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _stored(file: Path) -> list[dict[str, Any]]:
    """Whole lines only: the last may be under way."""
    text = file.read_text("utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
