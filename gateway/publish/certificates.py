"""How long certificates are still valid, and telling it in time: 60, 30 and 7 days ahead, and when it is too late."""

from __future__ import annotations

import ssl
from calendar import timegm
from time import strptime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from gateway.model import Notice, iso_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Stamp

DAYS_AHEAD: Final = (60, 30, 7, 0)
"""A certificate is told of when fewer days than one of these are left."""

_DAY_S: Final = 86_400
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0


class Expiry(NamedTuple):
    """When a certificate ends."""

    whose: Literal["broker", "own"]
    until_s: int
    """UTC, s since 1970."""

    def days_left(self, now_s: float) -> int:
        """Whole days that are left; negative where it is over."""
        return int((self.until_s - now_s) // _DAY_S)

    def __str__(self) -> str:
        words = {"broker": "the broker's certificate", "own": "the gateway's certificate"}
        return f"{words[self.whose]} is valid until {iso_time(self.until_s * 1_000_000_000)[:10]}"


class CertificateWatch:
    """Tells each certificate once for each of the `DAYS_AHEAD`."""

    def __init__(self) -> None:
        self._told: dict[Expiry, int] = {}
        self.known: tuple[Expiry, ...] = ()
        """Those of the newest session."""

    def learn(self, expiries: Iterable[Expiry]) -> None:
        """The certificates of a new session take the place of those before."""
        self.known = tuple(expiries)
        self._told = {expiry: days for expiry, days in self._told.items() if expiry in self.known}

    def news(self, stamp: Stamp) -> list[Notice]:
        """Events of what has become urgent since it was last asked."""
        now_s = stamp.time / 1e9
        found = []
        for expiry in self.urgent(now_s):
            step = next(days for days in reversed(DAYS_AHEAD) if expiry.until_s - now_s < days * _DAY_S)
            if self._told.get(expiry, DAYS_AHEAD[0] + 1) > step:
                self._told[expiry] = step
                found.append(_notice(expiry, now_s, stamp))
        return found

    def urgent(self, now_s: float) -> list[Expiry]:
        """The certificates that end within 60 days."""
        return [expiry for expiry in self.known if expiry.until_s - now_s < DAYS_AHEAD[0] * _DAY_S]


def not_after_s(pem: bytes) -> int:
    """When the first certificate of a PEM file ends: UTC, s since 1970.

    X.509 (RFC 5280, section 4.1): certificate, in it what is signed, in it version, serial number, algorithm, issuer
    and then validity, whose second time is the end.

    Raises:
        ValueError: there is no certificate in it.
    """
    text = pem.decode("ascii", "replace")
    begin, end = text.find(ssl.PEM_HEADER), text.find(ssl.PEM_FOOTER)
    if begin < 0 or end < begin:
        raise ValueError("no certificate in PEM form")
    der = ssl.PEM_cert_to_DER_cert(text[begin : end + len(ssl.PEM_FOOTER)])
    signed = _inside(_inside(der, 0), 0)
    at = _behind(signed, 0) if signed[0] == _VERSION else 0
    for _ in ("serial number", "algorithm", "issuer"):
        at = _behind(signed, at)
    validity = _inside(signed, at)
    return _time_s(validity, _behind(validity, 0))


def _notice(expiry: Expiry, now_s: float, stamp: Stamp) -> Notice:
    body = {
        "event": "certificate_expires",
        "certificate": expiry.whose,
        "not_after": iso_time(expiry.until_s * 1_000_000_000),
        "days_left": expiry.days_left(now_s),
    }
    return Notice("events", body, stamp)


def _header(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins and ends (X.690, section 8.1.3)."""
    if at + 2 > len(der):
        raise ValueError("the certificate is cut short")
    length, start = der[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(der[start : start + count]), start + count
    if start + length > len(der):
        raise ValueError("the certificate is cut short")
    return start, start + length


def _inside(der: bytes, at: int) -> bytes:
    start, end = _header(der, at)
    if der[at] != _SEQUENCE:
        raise ValueError("this is no certificate")
    return der[start:end]


def _behind(der: bytes, at: int) -> int:
    return _header(der, at)[1]


def _time_s(der: bytes, at: int) -> int:
    """A time of RFC 5280, section 4.1.2.5: years of two digits are 1950 to 2049."""
    start, end = _header(der, at)
    text = der[start:end].decode("ascii", "replace")
    if der[at] == _UTC_TIME:
        text = f"{'19' if text[:1] >= '5' else '20'}{text}"
    elif der[at] != _GENERALIZED_TIME:
        raise ValueError("the certificate's end is no time")
    return timegm(strptime(text, "%Y%m%d%H%M%SZ"))
