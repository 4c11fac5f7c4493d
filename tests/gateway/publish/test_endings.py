from __future__ import annotations

import errno
import os
import socket
from dataclasses import replace

import pytest

from gateway.publish.endings import (
    SessionEnd,
    SessionLost,
    SessionRefused,
    TakenOver,
    disconnected,
    lost,
    never_answered,
    not_dialled,
    refused,
)
from gateway.publish.settings import BrokerSettings

V5 = BrokerSettings("10.0.0.5", 1883, "press-hall-1", username="anna", password="geheim")  # noqa: S106 - not a secret but a needle to look for
V311 = replace(V5, protocol="3.1.1")
ANONYMOUS = replace(V5, username=None, password=None)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x84, 'does not speak MQTT 5; set `protocol: "3.1.1"` under `broker` in gateway.yaml'),
        (0x85, "does not accept the client id 'press-hall-1'"),
        (0x86, "does not accept the user name or password of user 'anna'"),
        (0x87, "does not allow user 'anna' to connect; look at user name and password"),
        (0x88, "says it is unavailable"),
        (0x9A, "does not support retained messages"),
        (0x9B, "does not support QoS 1"),
        (0xA7, "refuses the connection with reason 0xA7"),
    ],
)
def test_a_refusal_says_where_why_and_what_to_look_at(code: int, words: str) -> None:
    """The text is for someone who stands before a cabinet at night."""
    end = refused(V5, code)
    assert str(end).startswith(f"broker 10.0.0.5:1883 {words}")
    assert "; look at" in str(end) or "; set" in str(end) or "; use" in str(end)


@pytest.mark.parametrize("code", range(0x80, 0xA3))
@pytest.mark.parametrize("settings", [V5, V311, ANONYMOUS])
def test_every_code_has_words_and_none_shows_the_password(code: int, settings: BrokerSettings) -> None:
    """Codes that this release does not know are told by their number."""
    for end in (refused(settings, code), disconnected(settings, code)):
        assert "geheim" not in str(end)
        assert "{" not in str(end)


def test_a_broker_without_mqtt_3_1_1_is_told_to_use_5() -> None:
    """The advice names the other version, whichever is set."""
    assert 'set `protocol: "5"`' in str(refused(V311, 0x84))


def test_an_anonymous_refusal_says_that_no_user_name_is_set() -> None:
    """The usual cause of `not authorised` at a first start."""
    assert "nobody (no `username` is set)" in str(refused(ANONYMOUS, 0x87))


def test_the_brokers_own_words_are_passed_on_as_they_are() -> None:
    """Some brokers say more than their code; braces in their text are no placeholders."""
    assert str(refused(V5, 0x87, "tenant {x} is over")).endswith("(it says: tenant {x} is over)")


@pytest.mark.parametrize(
    ("end", "kind", "pause_s"),
    [
        (refused(V5, 0x86), SessionRefused, (10, 60)),
        (disconnected(V5, 0x8E), TakenOver, (60, 60)),
        (disconnected(V5, 0x8B), SessionLost, (0, 10)),
        (disconnected(V5, 0x97), SessionRefused, (10, 60)),
        (disconnected(V5, 0x87), SessionRefused, (10, 60)),
        (lost(V5, "hung up"), SessionLost, (0, 10)),
        (never_answered(V5, "hung up"), SessionLost, (0, 10)),
        (not_dialled(V5, OSError(errno.ECONNREFUSED, "refused")), SessionLost, (0, 10)),
    ],
)
def test_each_kind_of_end_has_its_pause(end: SessionEnd, kind: type[SessionEnd], pause_s: tuple[float, float]) -> None:
    """A lost link is tried again soon, a refusal after ten seconds at least, a stolen client id after a minute."""
    assert type(end) is kind
    assert end.pause_s == pause_s


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)), "is the broker running, and is the port right"),
        (OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH)), "look at cable, address and routing"),
        (OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH)), "no route"),
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), "cannot be reached: Permission denied"),
        (socket.gaierror(-2, "Name or service not known"), "the name cannot be resolved"),
        (TimeoutError(), "no answer within 10 s; look at cable, address and firewall"),
    ],
)
def test_a_broker_that_cannot_be_reached_is_told_by_its_cause(error: OSError, words: str) -> None:
    """Each cause sends the technician to another place."""
    assert words in str(not_dialled(V5, error))


def test_silence_to_mqtt_5_suggests_the_older_version() -> None:
    """Some brokers without MQTT 5 hang up instead of saying so."""
    assert 'set `protocol: "3.1.1"`' in str(never_answered(V5, "hung up"))
    assert "protocol" not in str(never_answered(V311, "hung up"))


@pytest.mark.parametrize(("code", "blames"), [(0x95, True), (0x87, True), (0x99, True), (0x8B, False), (0x8E, False)])
def test_a_broker_that_may_have_meant_a_message_is_told_apart(code: int, blames: bool) -> None:  # noqa: FBT001 - a parameter of the case
    """Too large or not allowed is about a message; a shutdown is not."""
    assert disconnected(V5, code).blames_message is blames
