"""Node ids as text."""

from __future__ import annotations

import base64
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua.nodeid import MAX_INDEX, MAX_NUMBER, MAX_TEXT, NodeAddress, parse_node_id

URIS = st.text(min_size=1, max_size=60)
NUMBERS = st.integers(0, MAX_NUMBER)
IDENTIFIERS = st.one_of(NUMBERS, st.text(min_size=1, max_size=80), st.uuids(), st.binary(min_size=1, max_size=80))
ADDRESSES = st.one_of(
    st.builds(NodeAddress, URIS, IDENTIFIERS),
    st.builds(NodeAddress, st.integers(1, MAX_INDEX), IDENTIFIERS),
    st.builds(NodeAddress, st.just(0), NUMBERS),
)


@given(ADDRESSES)
def test_what_is_written_is_read_back_the_same(address: NodeAddress) -> None:
    """Every node of every namespace has one text, whatever signs its names contain."""
    assert parse_node_id(str(address)) == address


@given(st.one_of(st.text(), st.text("nsu=;:%3Bigb0129-/+ .", max_size=30), st.from_regex(r"ns=\d+;[isgb]=.*")))
def test_any_text_is_a_node_or_a_value_error(text: str) -> None:
    """Whatever a technician types, the check ends in a node or in a message, and a node can be written again."""
    try:
        address = parse_node_id(text)
    except ValueError:
        return
    assert parse_node_id(str(address)) == address


@pytest.mark.parametrize(
    ("text", "namespace", "identifier"),
    [
        ("nsu=urn:acme:press;s=Press1.OilTemperature", "urn:acme:press", "Press1.OilTemperature"),
        ("nsu=http://acme.example/UA/;i=1001", "http://acme.example/UA/", 1001),
        ("nsu=urn:a;g=09087e75-8e5e-499b-954f-f2a9603db28a", "urn:a", UUID("09087e75-8e5e-499b-954f-f2a9603db28a")),
        ("nsu=urn:a;b=M/RbKBsRVkePCePcx24oRA==", "urn:a", base64.b64decode("M/RbKBsRVkePCePcx24oRA==")),
        ('ns=3;s="DB Press"."oil temperature"', 3, '"DB Press"."oil temperature"'),
        ("ns=4;s=|var|CODESYS Control.Application.PLC_PRG.x;y=1", 4, "|var|CODESYS Control.Application.PLC_PRG.x;y=1"),
        ("i=2258", 0, 2258),
        ("ns=0;i=2258", 0, 2258),
        ("nsu=urn:semi%3Bcolon%25;i=1", "urn:semi;colon%", 1),
    ],
)
def test_each_notation_of_the_standard_is_understood(text: str, namespace: str | int, identifier: object) -> None:
    """Part 6 of the standard, and the names that the common PLCs give their nodes."""
    assert parse_node_id(text) == NodeAddress(namespace, identifier)  # type: ignore[arg-type]  # the parameters are typed by the table


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Press1.OilTemperature", "is not a node id: write it as nsu=urn:acme:press;s=Press1.OilTemperature"),
        ("", "is not a node id"),
        ("nsu=urn:acme:press", "is not a node id"),
        ("nsu=urn:acme:press;OilTemperature", "is not a node id"),
        ("nsu=;s=x", "namespace URI is missing"),
        ("s=Press1.OilTemperature", "names no namespace"),
        ("ns=0;s=x", "names no namespace"),
        ("ns=two;s=x", "namespace index 'two' is not a whole number from 0 to 65535"),
        ("ns=65536;s=x", "namespace index '65536' is not a whole number"),
        ("ns=2;i=4294967296", "i= '4294967296' is not a whole number from 0 to 4294967295"),
        ("ns=2;i=-1", "i= '-1' is not a whole number"),
        ("ns=2;i=٣", "is not a whole number"),
        ("ns=2;s=", "s= is followed by 0 characters"),
        ("ns=2;s=" + "x" * (MAX_TEXT + 1), f"s= is followed by {MAX_TEXT + 1} characters"),
        ("ns=2;g=09087e758e5e499b954ff2a9603db28a", "is not a GUID such as"),
        ("ns=2;b=***", "in base64"),
        ("ns=2;b=", "in base64"),
        ("svr=1;nsu=urn:a;i=1", "points to another server"),
        ("ns=2;x=1", "is not a node id"),
    ],
)
def test_what_is_no_node_id_is_refused_with_what_to_write(text: str, message: str) -> None:
    """Each message says what is wrong."""
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_node_id(text)


def test_a_namespace_is_found_wherever_the_server_has_put_it() -> None:
    """The URI decides, not the place."""
    node = parse_node_id("nsu=urn:b;i=1")
    assert node.index(["http://opcfoundation.org/UA/", "urn:a", "urn:b"]) == 2
    assert node.index(["http://opcfoundation.org/UA/", "urn:b", "urn:a"]) == 1
    assert node.index(["http://opcfoundation.org/UA/", "urn:a"]) is None


def test_an_index_beyond_the_table_is_unknown() -> None:
    """It would name a node of no namespace."""
    assert parse_node_id("ns=2;i=1").index(["http://opcfoundation.org/UA/", "urn:a"]) is None
    assert parse_node_id("ns=1;i=1").index(["http://opcfoundation.org/UA/", "urn:a"]) == 1


@pytest.mark.parametrize(("text", "by_index"), [("ns=2;i=1", True), ("nsu=urn:a;i=1", False), ("i=2258", False)])
def test_an_address_that_can_move_is_known_as_such(text: str, *, by_index: bool) -> None:
    """Only indexes move, and that of the standard does not."""
    assert parse_node_id(text).by_index is by_index
