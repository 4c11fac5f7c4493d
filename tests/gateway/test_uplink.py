"""From gateway.yaml to the broker: what the file says of the link is what the broker sees."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.clock.watch import ClockWatch
from gateway.config.load import load
from gateway.connection import DeviceConfig
from gateway.model import Run
from gateway.outbox.outbox import Outbox
from gateway.testing import ManualClock, eventually, sample_batch, sample_device
from gateway.uplink import Described, Uplink
from tests.conftest import free_port
from tests.gateway.publish.authority import Authority
from tests.gateway.publish.scripted_broker import CONTENT_TYPE, MESSAGE_EXPIRY, ScriptedBroker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gateway.config.schema import Configuration

RUN = Run(42, "8c1f9a3e", "boot")
DEVICE = replace(sample_device(), config=DeviceConfig.model_construct())


def configuration(folder: Path, broker: str, publish: str = "{}") -> Configuration:
    """A folder with this part in gateway.yaml, checked."""
    text = f"version: 1\ngateway: {{id: gw-1, location: {{enterprise: acme}}}}\nbroker: {broker}\npublish: {publish}\n"
    (folder / "gateway.yaml").write_text(text)
    result = load(folder)
    assert result.configuration is not None, result.problems
    return result.configuration


class Bench:
    """An uplink with its outbox."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.outbox = Outbox(RUN, self.clock, None)
        watch = ClockWatch(self.clock, frozenset({str(RUN)}))
        self.uplink = Uplink(self.outbox, self.clock, watch, "0.1.0", RUN)

    def put(self, count: int) -> None:
        """Batches of the device."""
        for number in range(count):
            self.outbox.put(sample_batch(DEVICE.plan, [20.5, True, number], self.clock.now()))


@asynccontextmanager
async def applied(config: Configuration) -> AsyncIterator[Bench]:
    """An uplink that runs by this configuration."""
    bench = Bench()
    await bench.uplink.apply(config, [Described(DEVICE, "presses", "sim")])
    yield bench
    await bench.uplink.close(0, 1)


async def test_the_link_is_encrypted_as_the_file_says(tmp_path: Path) -> None:
    """Authority, certificate and key by their names beside gateway.yaml; both certificates are in the status line."""
    authority = Authority(tmp_path)
    authority.sign("gw-1", days=20)
    context = authority.server(authority.sign("127.0.0.1", days=50), asks=True)
    async with ScriptedBroker(context) as broker:
        tls = "{ca: authority.pem, certificate: gw-1.crt, key: gw-1.key}"
        config = configuration(tmp_path, f"{{url: 'mqtts://127.0.0.1:{broker.port}', tls: {tls}}}")
        async with applied(config) as bench:
            bench.clock.time_ns = time.time_ns()
            await eventually(lambda: bench.uplink.summary().startswith("broker connected"))
            bench.put(3)
            await eventually(lambda: sum(p.topic == "acme/press-12/data" for p in broker.published) == 3)
            assert "; the broker's certificate is valid until 20" in bench.uplink.summary()
            assert "; the gateway's certificate is valid until 20" in bench.uplink.summary()
            await eventually(lambda: sum(p.topic.endswith("/events") for p in broker.published) == 2)
        events = [json.loads(p.payload) for p in broker.published if p.topic.endswith("/events")]
        assert {event["certificate"]: event["days_left"] for event in events} == {"broker": 49, "own": 19}


async def test_a_lesser_broker_is_told_in_the_status_line(tmp_path: Path) -> None:
    """A list of urls falls back; whoever looks at the gateway sees where it is."""
    async with ScriptedBroker() as second:
        urls = f"['mqtt://127.0.0.1:{free_port()}', 'mqtt://127.0.0.1:{second.port}']"
        async with applied(configuration(tmp_path, f"{{url: {urls}}}")) as bench:
            wanted = f"broker connected (127.0.0.1:{second.port}, not the preferred one)"
            await eventually(lambda: bench.uplink.summary() == wanted)


@pytest.mark.parametrize("case", ["tag", "template"])
async def test_batches_go_out_in_the_form_that_the_file_says(tmp_path: Path, case: str) -> None:
    """And all that is not a batch stays as the contract says."""
    publish = {
        "tag": "{layout: tag, retain: true}",
        "template": "{encoder: template, template: {topic: 'plant/{{ device }}', payload: '{{ values.count }}'}}",
    }[case]
    async with ScriptedBroker() as broker:
        config = configuration(tmp_path, f"{{url: 'mqtt://127.0.0.1:{broker.port}'}}", publish)
        async with applied(config) as bench:
            bench.put(2)
            topic = {"tag": "acme/press-12/count", "template": "plant/press-12"}[case]
            await eventually(lambda: sum(publish.topic == topic for publish in broker.published) == 2)
        first, second = [publish for publish in broker.published if publish.topic == topic]
        if case == "tag":
            assert (first.retain, first.properties[MESSAGE_EXPIRY]) == (True, 180)
            assert json.loads(second.payload)["value"] == 1
        else:
            assert (first.payload, second.payload) == (b"0", b"1")
        meta = next(publish for publish in broker.published if publish.topic == "acme/press-12/meta")
        assert meta.retain
        assert meta.properties[CONTENT_TYPE] == "application/json"


async def test_another_form_takes_effect_with_a_reload(tmp_path: Path) -> None:
    """The session is exchanged; nothing is lost between."""
    async with ScriptedBroker() as broker:
        url = f"{{url: 'mqtt://127.0.0.1:{broker.port}'}}"
        async with applied(configuration(tmp_path, url)) as bench:
            bench.put(2)
            await eventually(lambda: sum(p.topic == "acme/press-12/data" for p in broker.published) == 2)
            described = [Described(DEVICE, "presses", "sim")]
            await bench.uplink.apply(configuration(tmp_path, url, "{layout: tag}"), described)
            bench.put(2)
            await eventually(lambda: sum(p.topic == "acme/press-12/count" for p in broker.published) == 2)
            assert len(broker.connects) == 2
