"""URLs of servers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua.endpoint import parse_url


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("opc.tcp://192.168.0.20", "opc.tcp://192.168.0.20:4840"),
        ("opc.tcp://PLC-7.acme.example:4841", "opc.tcp://plc-7.acme.example:4841"),
        ("opc.tcp://plc:4840/Server/UA/", "opc.tcp://plc:4840/Server/UA/"),
        ("opc.tcp://[FE80::1]:4840/x", "opc.tcp://[fe80::1]:4840/x"),
        ("OPC.TCP://plc", "opc.tcp://plc:4840"),
    ],
)
def test_the_url_to_connect_to_has_its_port_and_keeps_its_path(url: str, full: str) -> None:
    """Servers compare the path sign by sign."""
    assert parse_url(url).url == full


@pytest.mark.parametrize("url", ["opc.tcp://plc", "opc.tcp://PLC:4840/", "opc.tcp://plc:4840"])
def test_urls_of_one_server_make_one_claim(url: str) -> None:
    """Upper case, the standard port and a slash at the end make no other server."""
    assert parse_url(url).claim == "opc.tcp://plc:4840"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("192.168.0.20:4840", "is not the URL of an OPC UA server: write it as opc.tcp://"),
        ("http://plc:4840", "is not the URL of an OPC UA server"),
        ("opc.tcp://", "is not the URL of an OPC UA server"),
        ("opc.tcp://:4840", "is not the URL of an OPC UA server"),
        ("opc.tcp://the plc", "is not the URL of an OPC UA server"),
        ("opc.tcp://plc?x=1", "is not the URL of an OPC UA server"),
        (f"opc.tcp://{'a' * 64}.example", "is not the URL of an OPC UA server"),
        ("opc.tcp://[fe80::1", "is not a URL"),
        ("opc.tcp://plc:0", "the port in 'opc.tcp://plc:0' is not a number from 1 to 65535"),
        ("opc.tcp://plc:65536", "the port in"),
        ("opc.tcp://plc:opc", "the port in"),
        ("opc.tcp://plc:-1", "the port in"),
    ],
)
def test_what_is_no_url_of_a_server_is_refused(url: str, message: str) -> None:
    """Each message says what is wrong."""
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_url(url)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    """The message lands in logs."""
    with pytest.raises(ValueError, match="take the user out of the url") as caught:
        parse_url("opc.tcp://user:geheim@plc")
    assert "geheim" not in str(caught.value)


@given(st.one_of(st.text(), st.text().map(lambda rest: f"opc.tcp://{rest}")))
def test_any_text_is_an_end_point_or_a_value_error(text: str) -> None:
    """An accepted URL stays what it is when it is read again."""
    try:
        end_point = parse_url(text)
    except ValueError:
        return
    assert parse_url(end_point.url) == end_point
