"""What a subscriber sees: every tag as it arrives from the broker."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amqtt.client import MQTTClient  # type: ignore[import-untyped]  # it ships no types
from amqtt.errors import ClientError  # type: ignore[import-untyped]  # as above
from amqtt.mqtt.constants import QOS_1  # type: ignore[import-untyped]  # as above

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from gateway.driver import Device

_RATE_WINDOW_S = 5.0


@dataclass(slots=True)
class Arrival:
    """The newest that arrived of one configured tag."""

    device: str
    tag: str
    value: bool | float | str | None = None
    unit: str = ""
    quality: str = ""
    """Empty until something arrived."""
    time: str = ""
    """The value's own time, as published."""
    arrived_s: float = 0.0
    """On the monotonic clock."""
    count: int = 0
    """Values that arrived."""

    def as_json(self) -> dict[str, bool | float | str | None]:
        """For scripts: all but the arrival on this machine's own clock."""
        keys = ("device", "tag", "value", "unit", "quality", "time", "count")
        return {key: getattr(self, key) for key in keys}


class Arrivals:
    """Reads messages of the JSON contract, version 1, for the configured tags."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self.tags = {(d.name, tag.name): Arrival(d.name, tag.name) for d in devices for tag in d.plan.tags}
        self.messages = 0
        self._recent: deque[float] = deque()

    def missing(self) -> list[str]:
        """`device/tag` of configured tags of which no value arrived yet."""
        return [f"{device}/{tag}" for (device, tag), arrival in self.tags.items() if not arrival.count]

    def messages_per_s(self) -> float:
        """Messages a second over the last five seconds."""
        now_s = time.monotonic()
        while self._recent and self._recent[0] < now_s - _RATE_WINDOW_S:
            self._recent.popleft()
        return len(self._recent) / _RATE_WINDOW_S

    def take(self, topic: str, payload: bytes) -> None:
        """One message from the broker."""
        self.messages += 1
        self._recent.append(time.monotonic())
        kind = topic.rpartition("/")[2]
        if kind in ("data", "history"):
            self._take_batch(json.loads(payload))
        elif kind == "meta" and payload:
            self._take_meta(json.loads(payload))

    def _take_batch(self, batch: dict[str, Any]) -> None:
        for tag, value in batch["values"].items():
            self._take_value(batch["device"], tag, value, batch["time"])
        for tag, last in batch.get("last", {}).items():
            if "value" in last and not self._known(batch["device"], tag).count:
                self._take_value(batch["device"], tag, last["value"], last["time"])
        for tag, quality in batch.get("quality", {}).items():
            self._known(batch["device"], tag).quality = quality
        if "device_quality" in batch:
            for (device, _), arrival in self.tags.items():
                if device == batch["device"]:
                    arrival.quality = batch["device_quality"]

    def _take_value(self, device: str, tag: str, value: Any, value_time: str) -> None:
        arrival = self._known(device, tag)
        arrival.value, arrival.time, arrival.quality = value, value_time, "good"
        arrival.arrived_s = time.monotonic()
        arrival.count += 1

    def _take_meta(self, meta: dict[str, Any]) -> None:
        for tag, about in meta["tags"].items():
            self._known(meta["device"], tag).unit = about.get("unit", "")

    def _known(self, device: str, tag: str) -> Arrival:
        return self.tags.get((device, tag)) or Arrival(device, tag)


@asynccontextmanager
async def subscribed(url: str, take: Callable[[str, bytes], None]) -> AsyncIterator[None]:
    """Hands every message of the broker at `url` to `take`, as (topic, payload).

    Raises:
        ConnectionError: the broker cannot be reached, or does not let everybody in.
    """
    client = MQTTClient(config={"auto_reconnect": False})
    try:
        await client.connect(url)
        await client.subscribe([("#", QOS_1)])
    except (ClientError, OSError) as error:
        message = f"cannot subscribe at {url}: is the broker running, and does it let everybody in?"
        raise ConnectionError(message) from error
    receiving = asyncio.create_task(_receive(client, take))
    try:
        yield
    finally:
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
        await client.disconnect()


async def _receive(client: MQTTClient, take: Callable[[str, bytes], None]) -> None:
    while True:
        message = await client.deliver_message()
        if message is not None and message.topic is not None:
            take(message.topic, bytes(message.data or b""))
