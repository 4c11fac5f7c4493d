"""Plans on disk: each segment holds every plan that its batches need, once, and can be read alone."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, TypeVar

import msgspec
import zstandard

from gateway.model import Plan, Tag

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_MOST_KNOWN: Final = 1024
"""Plans remembered beyond the segment that is read: one for each device and change of its configuration."""

_KEY_BYTES: Final = 8


class PlanRecord(msgspec.Struct):
    """A plan as it is written. Fields may be added with a default; none changes its meaning."""

    device: str
    id: str
    heartbeat_s: float
    tags: tuple[Tag, ...]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(PlanRecord)


class Plans:
    """The plans that are known, by their key: a hash of all that they say.

    A plan that was read is the same object for all its batches, in whatever segment they stand. Used by one thread at a
    time.
    """

    def __init__(self) -> None:
        self._by_identity: dict[int, tuple[Plan, bytes]] = {}
        self._by_key: dict[bytes, Plan] = {}
        self._by_name: dict[tuple[str, str], Plan] = {}
        self._compress = zstandard.ZstdCompressor().compress
        self._decompress = zstandard.ZstdDecompressor().decompress

    def key_of(self, plan: Plan) -> bytes:
        """The key of a plan; makes it known."""
        known = self._by_identity.get(id(plan))
        if known is None:
            key = _key(_text_of(plan))
            # The plan is kept beside its identity: as long as it is, no other object has that identity.
            _remember(self._by_identity, id(plan), (plan, key))
            self._learn(key, plan)
            return key
        return known[1]

    def payload_of(self, plan: Plan) -> bytes:
        """A plan as it is written."""
        return self._compress(_text_of(plan))

    def read(self, payload: bytes, known: dict[bytes, Plan]) -> None:
        """Make the plan of a record known, here and in `known`; pass over a record that holds none."""
        try:
            text = self._decompress(payload)
            key = _key(text)
            plan = self._by_key.get(key) or _plan(_decoder.decode(text))
        except (zstandard.ZstdError, msgspec.MsgspecError):
            return
        self._learn(key, plan)
        known[key] = plan

    def find(self, key: bytes, device: str, plan_id: str) -> Plan | None:
        """A plan whose own record was damaged, where it is known from elsewhere: by its key, else by device and id."""
        return self._by_key.get(key) or self._by_name.get((device, plan_id))

    def _learn(self, key: bytes, plan: Plan) -> None:
        _remember(self._by_key, key, plan)
        _remember(self._by_name, (plan.device, plan.id), plan)


def _text_of(plan: Plan) -> bytes:
    return _encoder.encode(PlanRecord(plan.device, plan.id, plan.heartbeat_s, plan.tags))


def _plan(record: PlanRecord) -> Plan:
    plan = Plan(record.device, record.tags, record.heartbeat_s)
    # The id under which the batches went out before, whatever this release hashes.
    object.__setattr__(plan, "id", record.id)
    return plan


def _key(text: bytes) -> bytes:
    return blake2b(text, digest_size=_KEY_BYTES).digest()


def _remember(known: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(known) >= _MOST_KNOWN:
        del known[next(iter(known))]
    known[key] = value
