"""Keeps a session with the broker for ever, and has it carry what is to be published."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway.publish.certificates import CertificateWatch, Expiry
from gateway.publish.contract import GatewayState
from gateway.publish.courier import Courier
from gateway.publish.dial import Dialler
from gateway.publish.endings import (
    AliasRefused,
    SessionClosed,
    SessionEnd,
    SessionLost,
    SessionRefused,
    TakenOver,
    lost,
)
from gateway.publish.memory import Memory
from gateway.publish.session import Session
from gateway.publish.turns import Turns
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.clock import Clock
    from gateway.publish.contract import About
    from gateway.publish.failover import Failover
    from gateway.publish.message import Message
    from gateway.publish.ports import Encoder, EntryQueue
    from gateway.publish.settings import BrokerSettings

log = structlog.get_logger()

_EVENTS = {SessionLost: "broker_lost", SessionRefused: "broker_refused", TakenOver: "broker_taken_over"}

_MOVE_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class PublisherState:
    """How things stand with the broker."""

    connected: bool
    since: int
    """UTC, ns since 1970."""
    reason: str
    """Why there is no session, and what to look at; empty while there is one."""
    sent: int
    """Messages handed to the broker."""
    acknowledged: int
    """Messages that the broker took."""
    refused: int
    """Entries given up because the broker will never take them."""
    reconnects: int
    """Sessions established after the first."""
    broker: str
    """`host:port` of the broker that is connected, or is tried next."""
    is_preferred: bool
    """Whether that is the first of the configured brokers."""
    expiring: tuple[Expiry, ...]
    """Certificates that end within 60 days."""


class Publisher:
    """Publishes entries and retained messages, whatever happens to the link.

    Args:
        brokers: which broker is served, and how long it is waited for.
        encoder: makes messages of entries.
        outbox: where entries come from.
        clock: for ages, and for the times in the gateway's status.
        about: what the gateway says of itself.
        sleep: waits between two sessions; tests give their own.
        jitter: draws a pause between two limits, s.
    """

    def __init__(  # noqa: PLR0913 - two of them are for tests
        self,
        brokers: Failover,
        encoder: Encoder,
        outbox: EntryQueue,
        clock: Clock,
        about: About,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._brokers = brokers
        self._encoder = encoder
        self._outbox = outbox
        self._clock = clock
        self._about = about
        self._sleep = sleep
        self._jitter = jitter
        self._dialler = Dialler()
        self._memory = Memory(clock)
        self._certificates = CertificateWatch()
        self._turns = Turns()
        self._may_alias = True
        self._courier: Courier | None = None
        self._is_closing = False
        self._since = clock.now().time
        self._reason = f"broker {brokers.current.where}: not tried yet"
        self._memory.retained.put(self._status(GatewayState.ONLINE))

    @property
    def state(self) -> PublisherState:
        """How things stand at this moment."""
        counters = self._memory.counters
        return PublisherState(
            connected=self._courier is not None,
            since=self._since,
            reason=self._reason,
            sent=counters.sent,
            acknowledged=counters.acknowledged,
            refused=counters.refused,
            reconnects=max(0, counters.sessions - 1),
            broker=self._settings.where,
            is_preferred=self._brokers.is_first,
            expiring=tuple(self._certificates.urgent(self._clock.now().time / 1e9)),
        )

    def retain(self, message: Message) -> None:
        """Have the broker hold this message: now if there is a session, and at the beginning of each later one."""
        if self._memory.retained.put(message) and self._courier is not None:
            self._courier.announce(message.topic)

    def forget(self, topic: str) -> None:
        """Have the broker hold nothing more under this topic, as soon as there is a session."""
        if self._memory.retained.clear(topic) and self._courier is not None:
            self._courier.announce(topic)

    def introduce(self, about: About) -> None:
        """The gateway has something new to say of itself, such as another configuration."""
        self._about = about
        self.retain(self._status(GatewayState.ONLINE))

    async def run(self) -> None:
        """Connect, publish, connect again, until `close`. What was not acknowledged goes back to the outbox."""
        while not self._is_closing:
            end = await self._one_session()
            if not self._is_closing:
                limits_s = end.pause_s if isinstance(end, SessionClosed) else self._brokers.ended(end)
                pause_s = self._jitter(*limits_s)
                self._note_end(end, pause_s)
                await self._sleep(pause_s)

    async def close(self, deadline_s: float) -> None:
        """Wait for outstanding acknowledgements, say offline and goodbye; all within `deadline_s`."""
        self._is_closing = True
        if self._courier is not None:
            last = self._status(GatewayState.OFFLINE, "stopped")
            await self._courier.finish(last, deadline_s)

    async def _one_session(self) -> SessionEnd:
        try:
            return await self._session()
        except SessionEnd as end:
            self._memory.suspicion.unreachable()
            return end
        except Exception as error:
            log.exception("publisher_defect", broker=self._settings.where)
            return lost(self._settings, f"lost its session to a defect here, {error!r}")
        finally:
            self._courier = None
            self._outbox.give_back()

    async def _session(self) -> SessionEnd:
        session = Session(self._settings, self._clock, self._will(), aliases=self._may_alias)
        await session.open(self._dialler)
        self._memory.retained.put(self._status(GatewayState.ONLINE))
        self._courier = courier = Courier(session, self._encoder, self._outbox, self._memory)
        self._certificates.learn(session.expiries)
        self._note_start()
        attendant = asyncio.create_task(self._attend(courier))
        began_s = self._clock.monotonic_s()
        try:
            end = await courier.carry()
        finally:
            attendant.cancel()
        self._may_alias = self._may_alias and not isinstance(end, AliasRefused)
        return self._turns.judged(end, self._clock.monotonic_s() - began_s, self._settings)

    async def _attend(self, courier: Courier) -> None:
        """Now and then: tell of certificates that end soon, and go back to a better broker."""
        while True:
            try:
                self._tell_certificates()
                better = await self._brokers.better()
                if better is not None:
                    await self._move(courier, better)
                    return
            except Exception:
                log.exception("publisher_defect", broker=self._settings.where)
            await asyncio.sleep(self._settings.look_s)

    def _tell_certificates(self) -> None:
        for notice in self._certificates.news(self._clock.now()):
            told = {key: value for key, value in notice.body.items() if key != "event"}
            log.warning("certificate_expires", code=Code.BROKER_TLS, **told)
            self._outbox.put(notice)

    async def _move(self, courier: Courier, better: BrokerSettings) -> None:
        log.info("broker_preferred", broker=better.where)
        self._brokers.go_to(better)
        await courier.finish(self._status(GatewayState.OFFLINE, f"moved to {better.where}"), _MOVE_WITHIN_S)

    def _note_start(self) -> None:
        self._brokers.began()
        self._memory.counters.sessions += 1
        self._since = self._clock.now().time
        self._reason = ""
        log.info("broker_connected", broker=self._settings.where, protocol=self._settings.protocol)

    def _note_end(self, end: SessionEnd, pause_s: float) -> None:
        """One line a cause: a broker that is down for a week does not fill the log."""
        if not self._reason:
            self._since = self._clock.now().time
        tell = log.warning if end.told != self._reason else log.debug
        self._reason = end.told
        tell(_EVENTS.get(type(end), "broker_lost"), reason=end.told, retry_s=round(pause_s, 1))

    @property
    def _settings(self) -> BrokerSettings:
        return self._brokers.current

    def _will(self) -> Message:
        return self._encoder.gateway_status(GatewayState.OFFLINE, self._about, "connection lost")

    def _status(self, state: GatewayState, reason: str = "") -> Message:
        return self._encoder.gateway_status(state, self._about, reason, self._clock.now().time)
