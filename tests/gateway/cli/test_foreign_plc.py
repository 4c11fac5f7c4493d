"""Twenty tags of a PLC that others wrote, through the daemon and mosquitto, to mosquitto_sub: every value right."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Gateway, Mosquitto

pytestmark = pytest.mark.mosquitto

TAGS = """\
version: 1
driver: modbus
host: 127.0.0.1
port: {port}
devices:
  plc:
    tags:
      abcd: {{address: "holding:10", type: float32, unit: °C}}
      cdab: {{address: "holding:12", type: float32, order: CDAB}}
      badc: {{address: "holding:14", type: float32, order: BADC}}
      dcba: {{address: "holding:16", type: float32, order: DCBA}}
      scaled_float: {{address: "holding:10", type: float32, scale: 0.1}}
      negative: {{address: "holding:18", type: int32}}
      scaled_negative: {{address: "holding:18", type: int32, scale: 0.001}}
      first: {{address: "40001"}}
      second_scaled: {{address: "40002", scale: 0.1, offset: -40, unit: bar}}
      third_signed: {{address: "holding:2", type: int16}}
      six_digits: {{address: "400004"}}
      out_of_range: {{address: "holding:4", range: [0, 1000]}}
      last_input: {{address: "input:129"}}
      input_signed: {{address: "30001", type: int16}}
      input_long: {{address: "input:2", type: uint32}}
      coil_on: {{address: "coil:0"}}
      coil_off: {{address: "00002"}}
      far_coil: {{address: "coil:1998"}}
      discrete_on: {{address: "discrete:20"}}
      discrete_off: {{address: "10022"}}
"""

VALUES = {
    "abcd": 71.3,
    "cdab": 71.3,
    "badc": 71.3,
    "dcba": 71.3,
    "scaled_float": 7.13,
    "negative": -70000,
    "scaled_negative": -70.0,
    "first": 1000,
    "second_scaled": 60.1,
    "third_signed": 1002,
    "six_digits": 1003,
    "out_of_range": 1004,
    "last_input": 60129,
    "input_signed": -5536,
    "input_long": 60002 * 65536 + 60003,
    "coil_on": True,
    "coil_off": False,
    "far_coil": True,
    "discrete_on": True,
    "discrete_off": False,
}


@pytest.mark.skipif(
    shutil.which("mosquitto_sub") is None, reason="needs mosquitto_sub (apt-get install mosquitto-clients)"
)
def test_mosquitto_sub_shows_every_value_right(
    libmodbus_port: int, mosquitto: Mosquitto, gateways: Callable[[str], Gateway]
) -> None:
    """Nothing of the way is ours but the gateway: libmodbus serves, mosquitto carries, mosquitto_sub shows."""
    gateway = gateways(mosquitto.url)
    gateway.write("connections/plc.yaml", TAGS.format(port=libmodbus_port))
    command = [
        "mosquitto_sub",
        "-h",
        "127.0.0.1",
        "-p",
        str(mosquitto.port),
        "-t",
        "acme/ehv/plc/data",
        "-v",
        "-C",
        "2",
        "-W",
        "20",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as shown:
        gateway.start()
        assert shown.stdout is not None
        lines = shown.stdout.read().splitlines()
    assert len(lines) == 2
    for line in lines:
        topic, _, payload = line.partition(" ")
        batch = json.loads(payload)
        assert topic == "acme/ehv/plc/data"
        assert batch["values"] == VALUES
        assert {name: type(value) for name, value in batch["values"].items()} == {
            name: type(value) for name, value in VALUES.items()
        }
        assert batch["quality"] == {"out_of_range": "uncertain:out_of_range"}
