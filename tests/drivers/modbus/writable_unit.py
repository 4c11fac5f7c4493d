"""A unit without a wire, whose registers and coils can be written."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.modbus.question import Question
    from gateway.driver import DriverError


class Unit:
    """A unit that does what it is asked, until it is told otherwise."""

    def __init__(self) -> None:
        self.registers = dict.fromkeys(range(300), 0xA5A5)
        self.coils = dict.fromkeys(range(300), False)
        self.asked: list[Question] = []
        self.refuses: dict[int, int] = {}
        """Exception code by function."""
        self.keeps: Callable[[int], int] = lambda register: register
        """What it makes of a register that is written."""
        self.answers: dict[int, str] = {}
        """Strange answers by function."""
        self.silence: DriverError | None = None
        """Raised in place of an answer."""

    @property
    def functions(self) -> list[int]:
        return [question.function for question in self.asked]

    async def ask(self, question: Question) -> bytes:
        self.asked.append(question)
        if self.silence is not None:
            raise self.silence
        function, data = question.function, question.pdu[1:]
        if function in self.refuses:
            return bytes([function | 0x80, self.refuses[function]])
        if function in self.answers:
            return bytes.fromhex(self.answers[function])
        if function in {1, 5, 15}:
            return bytes([function]) + self._coils(function, data)
        return bytes([function]) + self._registers(function, data)

    def _coils(self, function: int, data: bytes) -> bytes:
        address, second = struct.unpack(">HH", data[:4])
        if function == 1:
            return bytes([1, self.coils[address]])
        self.coils[address] = second == 0xFF00 if function == 5 else bool(data[5] & 1)
        return data[:4]

    def _registers(self, function: int, data: bytes) -> bytes:
        address, second = struct.unpack(">HH", data[:4])
        if function == 3:
            return self._held(address, second)
        if function == 23:
            self._take(address, data[9:])
            return self._held(address, second)
        if function == 22:
            (set_bits,) = struct.unpack(">H", data[4:])
            self.registers[address] = self.registers[address] & second | set_bits & ~second
            return data
        self._take(address, data[5:] if function == 16 else data[2:])
        return data[:4]

    def _take(self, address: int, octets: bytes) -> None:
        for at, register in enumerate(struct.unpack(f">{len(octets) // 2}H", octets)):
            self.registers[address + at] = self.keeps(register)

    def _held(self, address: int, count: int) -> bytes:
        return bytes([2 * count]) + struct.pack(f">{count}H", *(self.registers[address + at] for at in range(count)))
