"""What can happen to a frame on its way, and what a broken device sends in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


def _whole(_rng: Random, frame: bytes) -> bytes:
    return frame


def _cut(rng: Random, frame: bytes) -> bytes:
    return frame[: rng.randrange(len(frame))]


def _longer(rng: Random, frame: bytes) -> bytes:
    return frame + rng.randbytes(rng.randint(1, 20))


def _noise_before(rng: Random, frame: bytes) -> bytes:
    return rng.randbytes(rng.randint(1, 4)) + frame


def _bit_flipped(rng: Random, frame: bytes) -> bytes:
    at = rng.randrange(len(frame))
    return frame[:at] + bytes([frame[at] ^ 1 << rng.randrange(8)]) + frame[at + 1 :]


def _byte_changed(rng: Random, frame: bytes) -> bytes:
    at = rng.randrange(min(len(frame), 12))
    return frame[:at] + rng.randbytes(1) + frame[at + 1 :]


def _byte_lost(rng: Random, frame: bytes) -> bytes:
    at = rng.randrange(len(frame))
    return frame[:at] + frame[at + 1 :]


def _twice(_rng: Random, frame: bytes) -> bytes:
    return frame + frame


def _garbage(rng: Random, _frame: bytes) -> bytes:
    return rng.randbytes(rng.randint(1, 64))


def _zeros(rng: Random, _frame: bytes) -> bytes:
    return bytes(rng.randint(1, 64))


DAMAGES: tuple[Callable[[Random, bytes], bytes], ...] = (
    _whole,
    _cut,
    _longer,
    _noise_before,
    _bit_flipped,
    _byte_changed,
    _byte_lost,
    _twice,
    _garbage,
    _zeros,
)


def damaged(rng: Random, frame: bytes) -> bytes:
    """The frame, or what became of it."""
    return rng.choice(DAMAGES)(rng, frame)


def in_pieces(rng: Random, stream: bytes) -> list[bytes]:
    """As it may arrive: mostly at once, else in up to four pieces."""
    if rng.random() < 0.7 or len(stream) < 2:
        return [stream] if stream else []
    cuts = sorted(rng.sample(range(1, len(stream)), min(rng.randint(1, 3), len(stream) - 1)))
    return [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
