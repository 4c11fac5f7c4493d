"""Node ids as a technician writes them: parsed and checked without a server and without asyncua.

The notation is that of OPC UA Part 6, 5.3.1.10 and 5.3.1.11: a namespace, then one of four kinds of identifier.

    nsu=urn:acme:press;s=Press1.OilTemperature     namespace by its URI, identifier a text
    nsu=urn:acme:press;i=1001                      ... a number
    nsu=urn:acme:press;g=09087e75-8e5e-499b-954f-f2a9603db28a    ... a GUID
    nsu=urn:acme:press;b=M/RbKBsRVkePCePcx24oRA==  ... bytes in base64
    i=2258                                         namespace 0, the standard's own nodes
    ns=2;s=Press1.OilTemperature                   namespace by its index, which can move between two starts
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXAMPLE: Final = "nsu=urn:acme:press;s=Press1.OilTemperature"

MAX_INDEX: Final = 0xFFFF
"""A namespace index is a UInt16 (Part 6, 5.2.2.9)."""

MAX_NUMBER: Final = 0xFFFF_FFFF
"""A numeric identifier is a UInt32 (Part 6, 5.2.2.9)."""

MAX_TEXT: Final = 4096
"""Longest text or bytes of an identifier (Part 3, 8.2.4)."""

_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

Identifier = int | str | UUID | bytes
"""A node's name inside its namespace; the kind is told by the type: `i=`, `s=`, `g=`, `b=`."""


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """One node, its namespace not yet looked up at a server."""

    namespace: str | int
    """URI of the namespace, or its index; 0 is the standard's own namespace."""
    identifier: Identifier

    @property
    def by_index(self) -> bool:
        """Whether the namespace is named by an index that the server may give to another one at its next start."""
        return isinstance(self.namespace, int) and self.namespace != 0

    def index(self, namespaces: Sequence[str]) -> int | None:
        """The namespace's index in a server's table of namespaces; None where the server has no such namespace."""
        if isinstance(self.namespace, int):
            return self.namespace if self.namespace < len(namespaces) else None
        return namespaces.index(self.namespace) if self.namespace in namespaces else None

    def __str__(self) -> str:
        return _namespace_text(self.namespace) + _identifier_text(self.identifier)


def parse_node_id(text: str) -> NodeAddress:
    """The node that `text` names.

    Raises:
        ValueError: it is not a node id; the message says what is wrong and shows one.
    """
    namespace, identifier = _split(text)
    kind, equals, value = identifier.partition("=")
    if not equals or kind not in _KINDS:
        raise ValueError(f"{text!r} is not a node id: write it as {EXAMPLE}, or with i=, g= or b= in place of s=")
    address = NodeAddress(namespace, _KINDS[kind](value))
    if namespace == 0 and not isinstance(address.identifier, int):
        raise ValueError(f"{text!r} names no namespace: write it as {EXAMPLE}; only i= of the standard stands alone")
    return address


def _split(text: str) -> tuple[str | int, str]:
    """The namespace and what follows it."""
    if text.startswith("nsu="):
        uri, _, identifier = text.removeprefix("nsu=").partition(";")
        return _uri(uri), identifier
    if text.startswith("ns="):
        index, _, identifier = text.removeprefix("ns=").partition(";")
        return _number(index, "namespace index", MAX_INDEX), identifier
    if text.startswith("svr="):
        raise ValueError(f"{text!r} points to another server: make a connection of its own for that one, without svr=")
    return 0, text


def _uri(text: str) -> str:
    uri = text.replace("%3B", ";").replace("%3b", ";").replace("%25", "%")
    if not uri:
        raise ValueError(f"the namespace URI is missing between nsu= and the semicolon: write {EXAMPLE}")
    return uri


def _number(text: str, what: str, largest: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > largest:
        raise ValueError(f"{what} {text!r} is not a whole number from 0 to {largest}")
    return int(text)


def _numeric(value: str) -> int:
    return _number(value, "i=", MAX_NUMBER)


def _text(value: str) -> str:
    if not 1 <= len(value) <= MAX_TEXT:
        raise ValueError(f"s= is followed by {len(value)} characters; 1 to {MAX_TEXT} are allowed")
    return value


def _guid(value: str) -> UUID:
    if not _GUID.fullmatch(value):
        raise ValueError(f"g={value} is not a GUID such as 09087e75-8e5e-499b-954f-f2a9603db28a")
    return UUID(value)


def _opaque(value: str) -> bytes:
    try:
        opaque = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        opaque = b""
    if not 1 <= len(opaque) <= MAX_TEXT:
        raise ValueError(f"b={value} is not 1 to {MAX_TEXT} bytes in base64, such as M/RbKBsRVkePCePcx24oRA==")
    return opaque


_KINDS: Final[dict[str, Callable[[str], Identifier]]] = {"i": _numeric, "s": _text, "g": _guid, "b": _opaque}


def _namespace_text(namespace: str | int) -> str:
    if isinstance(namespace, int):
        return f"ns={namespace};" if namespace else ""
    return f"nsu={namespace.replace('%', '%25').replace(';', '%3B')};"


def _identifier_text(identifier: Identifier) -> str:
    match identifier:
        case int():
            return f"i={identifier}"
        case str():
            return f"s={identifier}"
        case UUID():
            return f"g={identifier}"
        case bytes():
            return f"b={base64.b64encode(identifier).decode()}"
