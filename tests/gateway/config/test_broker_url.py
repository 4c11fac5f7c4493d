"""Which urls of a broker are taken, and what is said of the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.broker_url import broker_address

FORM = "write mqtts://host or mqtts://host:port (mqtt:// without TLS)"
BEGIN = f"the broker's url must begin with mqtt:// or mqtts://: {FORM}"
TLS = "the broker's url must begin with mqtts:// where the link is encrypted"
WEB = f"MQTT over WebSockets is not spoken here: {FORM}, and the port of plain MQTT at the broker"


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("mqtt://127.0.0.1", "127.0.0.1", 1883),
        ("mqtt://broker.acme.example:1884", "broker.acme.example", 1884),
        ("mqtt://broker/", "broker", 1883),
        ("MQTT://Broker_1", "Broker_1", 1883),
        ("mqtt://[fe80::1]", "fe80::1", 1883),
        ("mqtt://[::1]:1885", "::1", 1885),
        ("mqtt://b:65535", "b", 65535),
    ],
)
def test_host_and_port_are_taken_apart(url: str, host: str, port: int) -> None:
    """The port is 1883 where none is given; an IPv6 address loses its brackets."""
    assert broker_address(url) == (host, port, False)


@pytest.mark.parametrize(("url", "port"), [("mqtts://broker", 8883), ("MQTTS://broker:8884", 8884)])
def test_an_encrypted_link_is_named_by_the_scheme(url: str, port: int) -> None:
    """The port is 8883 where none is given."""
    assert broker_address(url) == ("broker", port, True)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("127.0.0.1", BEGIN),
        ("tcp://127.0.0.1", BEGIN),
        ("tls://b", TLS),
        ("SSL://b", TLS),
        ("wss://b", WEB),
        ("mqtt://u:p@b", "the broker's url must not hold a user or password: use the keys username and password"),
        ("mqtt://b/topic", f"nothing may follow the port in the broker's url: {FORM}"),
        ("mqtt://b?x=1", f"nothing may follow the port in the broker's url: {FORM}"),
        ("mqtt://b:", "the port in the broker's url must be a number from 1 to 65535"),
        ("mqtt://b:0", "the port in the broker's url must be a number from 1 to 65535"),
        ("mqtt://b:65536", "the port in the broker's url must be a number from 1 to 65535"),
        ("mqtt://b:²", "the port in the broker's url must be a number from 1 to 65535"),
        ("mqtt://b:1_0", "the port in the broker's url must be a number from 1 to 65535"),
        ("mqtt://", f"the broker's url holds no host name or address that can be used: {FORM}"),
        ("mqtt://my broker", f"the broker's url holds no host name or address that can be used: {FORM}"),
        ("mqtt://::1", f"the broker's url holds no host name or address that can be used: {FORM}"),
        ("mqtt://[::1", f"the broker's url holds no host name or address that can be used: {FORM}"),
        ("mqtt://[nonsense]", "the broker's url holds no IPv6 address between its brackets"),
    ],
)
def test_other_urls_are_refused_with_the_reason(url: str, text: str) -> None:
    """Each kind of mistake has its own words."""
    with pytest.raises(ValueError, match=r".+") as refused:
        broker_address(url)
    assert str(refused.value) == text


@given(st.text(max_size=20), st.text(min_size=6, max_size=20))
def test_no_refusal_repeats_what_may_be_a_password(scheme: str, secret: str) -> None:
    """Whatever stands in the url, its text is not repeated."""
    secret = f"\u2603{secret}"
    for url in (f"{scheme}://{secret}@host", f"mqtt://user:{secret}@host", f"{secret}@host", f"mqtt://{secret}"):
        with pytest.raises(ValueError, match=r".+") as refused:
            broker_address(url)
        assert secret not in str(refused.value)
