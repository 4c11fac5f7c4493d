from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from gateway.publish.certificates import CertificateWatch, Expiry, not_after_s
from gateway.testing import ManualClock
from tests.gateway.publish.authority import Authority

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86_400


def ending_in(clock: ManualClock, days: float) -> Expiry:
    return Expiry("broker", round(clock.time_ns / 1e9 + days * DAY_S))


@pytest.mark.parametrize("days", [-400, 1, 365, 20_000, 50_000])
def test_the_end_of_a_certificate_is_read(tmp_path: Path, days: int) -> None:
    """As the library `cryptography` reads it; beyond 2049 the time has another form (RFC 5280)."""
    pem = Authority(tmp_path).sign("gw-1", days=days).certificate.read_bytes()
    assert not_after_s(pem) == x509.load_pem_x509_certificate(pem).not_valid_after_utc.timestamp()


def test_the_first_of_a_chain_counts(tmp_path: Path) -> None:
    """Behind the gateway's own certificate stand those of its authorities."""
    authority = Authority(tmp_path)
    own = authority.sign("gw-1", days=5).certificate.read_bytes()
    assert not_after_s(b"some text before\n" + own + authority.ca.read_bytes()) == not_after_s(own)


@given(st.binary(max_size=300))
def test_what_is_no_certificate_is_an_error_of_its_kind(rubbish: bytes) -> None:
    """Whatever stands in the file."""
    import base64  # noqa: PLC0415 - used here only

    body = base64.encodebytes(rubbish)
    for pem in (rubbish, b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"):
        with pytest.raises((ValueError, IndexError)):
            not_after_s(pem)


def test_each_certificate_is_told_at_sixty_thirty_and_seven_days_and_at_its_end() -> None:
    """Once each, however often it is looked at."""
    clock, watch = ManualClock(), CertificateWatch()
    watch.learn([ending_in(clock, 90)])
    told = []
    for hour in range(92 * 24):
        told += [(hour // 24, notice.body["days_left"]) for notice in watch.news(clock.now())]
        clock.advance(3600)
    assert told == [(30, 59), (60, 29), (83, 6), (90, -1)]


def test_a_certificate_that_ends_tomorrow_is_told_once_at_the_start() -> None:
    """Not once for each of the days that have passed already."""
    clock, watch = ManualClock(), CertificateWatch()
    watch.learn([ending_in(clock, 1.5)])
    (notice,) = watch.news(clock.now())
    assert notice.topic == "events"
    assert notice.body == {
        "event": "certificate_expires",
        "certificate": "broker",
        "not_after": "2026-11-25T22:15:00.000Z",
        "days_left": 1,
    }
    assert watch.news(clock.now()) == []


def test_a_renewed_certificate_is_not_told_and_a_session_anew_tells_nothing_again() -> None:
    """The warning ends with its cause."""
    clock, watch = ManualClock(), CertificateWatch()
    watch.learn([ending_in(clock, 20)])
    assert len(watch.news(clock.now())) == 1
    watch.learn([ending_in(clock, 20)])
    assert watch.news(clock.now()) == []
    watch.learn([ending_in(clock, 400)])
    assert watch.news(clock.now()) == []
    assert watch.urgent(clock.time_ns / 1e9) == []


def test_a_certificate_is_described_for_people() -> None:
    """In the status line."""
    assert str(Expiry("own", 1_795_515_300)) == "the gateway's certificate is valid until 2026-11-24"


def test_a_clock_of_1970_warns_of_nothing() -> None:
    """A Pi without battery, before its first synchronisation."""
    watch = CertificateWatch()
    watch.learn([Expiry("broker", int((datetime.now(UTC) + timedelta(days=3)).timestamp()))])
    assert watch.news(ManualClock(time_ns=0).now()) == []
