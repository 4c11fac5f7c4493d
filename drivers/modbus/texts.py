"""Text and raw bytes in registers: two characters or bytes a register, the first one in its high byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from drivers.modbus.datatypes import DataType

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import Value

Encoding = Literal["ascii", "latin-1", "utf-8"]
"""How characters are bytes."""


def string(length: int, encoding: Encoding) -> DataType:
    """Text of `length` bytes. It ends at a NUL; spaces that fill it up are taken off.

    Bytes that are no text in this encoding give no value.
    """

    def read(field: bytes) -> str | None:
        text = field[:length].partition(b"\0")[0]
        try:
            return text.decode(encoding).rstrip(" ")
        except UnicodeDecodeError:
            return None

    def write(value: Value) -> bytes:
        return _encoded(value, length, encoding)

    return _octets_type("string", length, read, write)


def octets(length: int) -> DataType:
    """`length` bytes as they are, published as hexadecimal text in lower case."""

    def read(field: bytes) -> str:
        return field[:length].hex()

    def write(value: Value) -> bytes:
        return _from_hexadecimal(value, length)

    return _octets_type("bytes", length, read, write)


def _octets_type(
    name: str, length: int, read: Callable[[bytes], Value | None], write: Callable[[Value], bytes]
) -> DataType:
    registers = (length + 1) // 2
    return DataType(name, f"{2 * registers}s", registers, write, read)


def _encoded(value: Value, length: int, encoding: Encoding) -> bytes:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")  # noqa: TRY004 - one kind of error for every value that does not fit
    try:
        text = value.encode(encoding)
    except UnicodeEncodeError:
        raise ValueError(f"{value!r} has characters that {encoding} lacks") from None
    if b"\0" in text:
        raise ValueError(f"{value!r} has a NUL in it, where the text would end")
    if len(text) > length:
        raise ValueError(f"{value!r} is {len(text)} bytes long, and there is room for {length}")
    return text.ljust(length, b"\0")


def _from_hexadecimal(value: Value, length: int) -> bytes:
    try:
        given = bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        given = None
    if given is None or len(given) != length:
        raise ValueError(f"{value!r} is not {length} bytes in hexadecimal, {2 * length} digits")
    return given
