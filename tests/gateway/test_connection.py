"""What the models of the field keep."""

from __future__ import annotations

import pytest

from gateway.registry import driver_names, driver_spec


@pytest.mark.parametrize("name", driver_names())
def test_a_tag_that_keeps_only_what_is_said_is_the_same_tag(name: str) -> None:
    """Of every driver: each key reads as before, a mistyped one is still missed, and it takes less room."""
    model = driver_spec(name).tag
    addresses = {"modbus": "holding:1", "opcua": "nsu=urn:a;s=b", "gpio": "GPIO17", "sim": "analog"}
    extra = {"gpio": {"pull": "up"}}.get(name, {})
    tag = model.model_validate({"address": addresses[name], "unit": "V", **extra})
    before = {key: getattr(tag, key) for key in model.model_fields}
    tag.keep_what_is_said()
    assert {key: getattr(tag, key) for key in model.model_fields} == before
    assert len(tag.__dict__) < len(before) / 2
    with pytest.raises(AttributeError):
        tag.adress  # type: ignore[attr-defined]  # noqa: B018 - meant to be mistyped


def test_two_tags_that_keep_what_is_said_do_not_share_a_mapping() -> None:
    """A default that is a mapping is a new one each time."""
    tag = driver_spec("sim").tag.model_validate({"address": "analog"})
    tag.keep_what_is_said()
    assert tag.texts == {}
    assert tag.texts is not tag.texts
