"""What goes wrong on the way to the broker, and what the gateway could not keep."""

from __future__ import annotations

from typing import Final

from gateway.vocabulary.code import Code, Entry

UPLINK: Final = (
    Entry(
        Code.BROKER_UNREACHABLE,
        "the broker cannot be reached",
        "Its name is not known, nothing listens at its port, or the network between is broken. Values wait on disk.",
        "Look at `url` under `broker`, at DNS, cable, firewall; `edge-gateway config handover` lists what must pass.",
    ),
    Entry(
        Code.BROKER_LOST,
        "the session with the broker broke",
        "The link was cut, or the broker stopped, kept silent or acknowledged nothing. It is opened anew by itself.",
        "If it happens often, look at the broker's log and at the network between.",
    ),
    Entry(
        Code.BROKER_REFUSED,
        "the broker does not want this gateway",
        "User, password, client id or access list do not fit, or a limit of the broker is reached.",
        "The message names the reason and the setting; then look at the broker's log and access list.",
    ),
    Entry(
        Code.BROKER_TAKEN_OVER,
        "another client uses this gateway's id",
        "Two gateways have the same `gateway.id`; the broker throws one out for the other.",
        "Give each gateway an id of its own.",
    ),
    Entry(
        Code.BROKER_TLS,
        "the encrypted link to the broker is not trusted",
        "A certificate is over, not yet valid, signed by somebody else, or for another name. Nothing was sent.",
        "The message names the failed check; look at the clock of this machine, at `tls.ca` and the certificate.",
    ),
    Entry(
        Code.MESSAGE_REFUSED,
        "the broker refuses a message",
        "Its topic, size or form is not allowed there. It is put aside and counted; others go on.",
        "The status names the topic; look at the broker's access list and limits.",
    ),
    Entry(
        Code.DISK,
        "waiting values cannot be kept on disk",
        "The disk is full, broken, or mounted read-only. Values wait in memory, which a power cut empties.",
        "`df -h` and `dmesg` tell more; an SD card that turns read-only is worn out.",
    ),
    Entry(
        Code.GAP,
        "values were lost, and counted",
        "What waited did not fit the limits of the outbox, could not be read back, or was in memory at a power cut.",
        "The record names device, time and cause. Raise `outbox.max_mb`, or mend what the cause names.",
    ),
)
"""In the order of the codes."""
