"""What `meta` says of tags: all that makes their numbers, judges them and holds them back, with the codes of units."""

from __future__ import annotations

import json
from typing import Any

from gateway.model import Counter, Outside, Plan, ScaleFrom, Tag, TwoPoint
from gateway.publish.json import JsonEncoder
from gateway.publish.topics import Topics
from tests.gateway.publish.schemas import check

TOPICS = Topics(["acme"], "press-hall-1")


def meta_of(*tags: Tag) -> dict[str, Any]:
    """The tags of the message, which is held against its schema."""
    message = JsonEncoder(TOPICS).meta(Plan("press-12", tags).published)
    tags_told: dict[str, Any] = check(message.topic, message.payload)["tags"]
    assert json.loads(message.payload)["tags"] == tags_told
    return tags_told


def test_a_unit_has_its_codes() -> None:
    """UCUM and UN/ECE Recommendation 20, where there are such."""
    told = meta_of(
        Tag("flow", "a", "float32", unit="m³/h"),
        Tag("reactive", "a", "float32", unit="kvar"),
        Tag("pace", "a", "float32", unit="furlong/fortnight"),
        Tag("state", "a", "uint16"),
    )
    assert (told["flow"]["unit"], told["flow"]["unit_ucum"], told["flow"]["unit_unece"]) == ("m³/h", "m3/h", "MQH")
    assert (told["reactive"].get("unit_ucum"), told["reactive"]["unit_unece"]) == (None, "KVR")
    assert {"unit_ucum", "unit_unece"}.isdisjoint(told["pace"].keys() | told["state"].keys())


def test_all_that_makes_a_number_is_told() -> None:
    """A consumer can work out the raw value, and an auditor can check the engineering value."""
    told = meta_of(
        Tag("pressure", "a", "uint16", scaling=TwoPoint((4.0, 20.0), (0.0, 10.0), Outside.CLAMP)),
        Tag("power", "a", "int16", scale=0.1, scale_from=ScaleFrom("factor", power_of_ten=True)),
        Tag("factor", "a", "int16"),
    )
    assert told["pressure"]["scaling"] == {"raw": [4.0, 20.0], "engineering": [0.0, 10.0], "outside": "clamp"}
    assert told["power"]["scale_from"] == {"tag": "factor", "power_of_ten": True}
    assert "scaling" not in told["factor"]


def test_all_that_judges_and_holds_back_is_told() -> None:
    """Whoever sees a gap between two points learns why nothing was sent."""
    keys = {"max_rate_per_s": 5.0, "stuck_after_s": 60.0, "stale_after_s": 300.0, "max_interval_s": 600.0}
    told = meta_of(
        Tag("a", "a", "float32", deadband_percent=2.0, **keys),  # type: ignore[arg-type]  # each key names a field
        Tag("b", "a", "float32", swinging_door=0.5),
    )
    assert keys.items() <= told["a"].items()
    assert told["a"]["deadband_percent_of_value"] == 2.0
    assert told["b"]["swinging_door"] == 0.5


def test_a_counter_and_its_total_are_told() -> None:
    """The total is a tag like others; it turns nowhere."""
    told = meta_of(Tag("energy", "a", "uint16", unit="kWh", counter=Counter(65536.0, total=True)))
    assert told["energy"]["counter"] == {"turn": 65536.0, "total": True}
    assert "counter" not in told["energy_total"]
    assert told["energy_total"]["unit"] == "kWh"
    assert told["energy_total"]["description"].startswith("total of energy")
