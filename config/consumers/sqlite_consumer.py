#!/usr/bin/env python3
"""Stores what an edge-gateway publishes in an SQLite file: nothing lost, nothing twice.

It needs Python 3.11 and paho-mqtt 2 (pip install paho-mqtt), and understands `layout: device` and `layout: tag`.

    python3 sqlite_consumer.py --host 127.0.0.1 --topic 'acme/#' plant.db
    sqlite3 plant.db "select time, value from reading where tag = 'oil_temperature' order by time desc limit 10"

A message is acknowledged to the broker only after it is committed, and the session outlives this program, so the broker
keeps what comes while it is away. What comes twice has the same (device, run, seq, tag), which is the primary key.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import ssl
from typing import Any

from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

SESSION_S = 7 * 86_400
"""So long the broker keeps what was not fetched."""

SCHEMA = """
create table if not exists reading (
    device text not null, run text not null, seq integer not null, tag text not null,
    time text not null, value, quality text not null, history integer not null,
    primary key (device, run, seq, tag)
) without rowid;
create index if not exists reading_by_tag on reading (device, tag, time);
create table if not exists gap (
    run text not null, seq integer not null, device text not null, "from" text not null, "to" text not null,
    count integer, reason text not null, primary key (run, seq)
) without rowid;
"""

STRANGE = (ValueError, TypeError, KeyError, AttributeError, sqlite3.ProgrammingError, sqlite3.IntegrityError)
"""What a message can cause that is not from a gateway. A full disk is another matter: it ends this program, and nothing
is acknowledged."""

Row = tuple[str, str, int, str, str, Any, str, bool]


def rows_of(told: dict[str, Any]) -> list[Row]:
    """The readings in one message: device, run, seq, tag, time, value, quality, history. Held values are left out."""
    name = (told["device"], told["run"], told["seq"])
    history = told.get("history", False)
    if "tag" in told:
        row = (*name, told["tag"], told["time"], told.get("value"), told["quality"], history)
        return [] if told.get("last") else [row]
    quality, common = told.get("quality", {}), told.get("device_quality", "good")
    held = told.get("last", {})
    tags = [tag for tag in {**told["values"], **quality} if tag in told["values"] or tag not in held]
    return [(*name, tag, told["time"], told["values"].get(tag), quality.get(tag, common), history) for tag in tags]


def store(database: sqlite3.Connection, topic: str, payload: bytes) -> None:
    """Keep one message. What is not from a gateway is passed over."""
    try:
        told = json.loads(payload)
        if topic.endswith("/gaps"):
            row = [told[key] for key in ("run", "seq", "device", "from", "to", "count", "reason")]
            database.execute("insert or ignore into gap values (?, ?, ?, ?, ?, ?, ?)", row)
        elif "seq" in told and ("values" in told or "tag" in told):
            database.executemany("insert or ignore into reading values (?, ?, ?, ?, ?, ?, ?, ?)", rows_of(told))
    except STRANGE as error:
        print(f"{topic}: passed over, {error!r}")  # noqa: T201 - a program for a terminal
    database.commit()


def main() -> None:
    """Subscribe and store, until stopped."""
    args = _arguments()
    database = sqlite3.connect(args.database)
    database.executescript(f"pragma journal_mode = wal; {SCHEMA}")
    client = Client(CallbackAPIVersion.VERSION2, args.client_id, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True)
    if args.user:
        client.username_pw_set(args.user, args.password)
    if args.tls or args.ca:
        client.tls_set_context(ssl.create_default_context(cafile=args.ca))

    def on_message(_client: Client, _userdata: object, message: MQTTMessage) -> None:
        store(database, message.topic, message.payload)
        client.ack(message.mid, message.qos)

    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe(args.topic, qos=1)
    client.reconnect_delay_set(1, 10)
    lasting = Properties(PacketTypes.CONNECT)
    lasting.SessionExpiryInterval = SESSION_S
    client.connect(args.host, args.port, clean_start=False, properties=lasting)
    client.loop_forever(retry_first_connection=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Stores what an edge-gateway publishes in an SQLite file.")
    parser.add_argument("database", help="the file; it is made where it is missing")
    parser.add_argument("--host", default="127.0.0.1", help="the broker (%(default)s)")
    parser.add_argument("--port", type=int, default=1883, help="its port (%(default)s)")
    parser.add_argument("--topic", default="#", help="what to subscribe to (%(default)s)")
    parser.add_argument("--client-id", default="sqlite-consumer", help="one of its own for each program (%(default)s)")
    parser.add_argument("--user", help="user name at the broker")
    parser.add_argument("--password", help="password of the user")
    parser.add_argument("--tls", action="store_true", help="encrypt, trusting the authorities of the system")
    parser.add_argument("--ca", help="encrypt, trusting the authority in this PEM file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
