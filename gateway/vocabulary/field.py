"""What goes wrong between the gateway and the machines. Drivers say more with codes of their own."""

from __future__ import annotations

from typing import Final

from gateway.vocabulary.code import Code, Entry

FIELD: Final = (
    Entry(
        Code.LINK,
        "a connection cannot be opened, or broke",
        "The PLC or converter is off, the cable or the network between is broken, or address and port are wrong. All "
        "devices behind the connection are without reply until it is open again, which is tried for ever.",
        "Look at power, cable and link lights; `ping HOST`; compare host, port and serial settings with the machine.",
    ),
    Entry(
        Code.NO_REPLY,
        "a device does not answer",
        "The connection is open, the device keeps silent: it is off, has another unit id or speed, or needs longer.",
        "Look at its power and its unit id; on a bus at termination and polarity; try a longer `timeout_s`.",
    ),
    Entry(
        Code.REFUSED,
        "a device answers that it will not",
        "It lacks the address, the function, or the right to it, or is busy with itself.",
        "Compare address and type with its manual; the message names the answer that it gave.",
    ),
    Entry(
        Code.WRONG_REPLY,
        "an answer does not fit the question",
        "It is late, damaged, or from another device. Nothing of it was believed.",
        "Now and then is harmless. Often: two devices with one unit id, two masters on one bus, or a bad cable.",
    ),
    Entry(
        Code.DRIVER_FAULT,
        "a driver failed",
        "That is an error of the driver, not of the machine. Its connection begins anew; others are not harmed.",
        "Report it with the log lines around it.",
    ),
)
"""In the order of the codes."""
