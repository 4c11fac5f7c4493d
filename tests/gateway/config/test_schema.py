"""The models of gateway.yaml: defaults, and what derives from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from gateway.config.schema import Broker, Location, Secret
from tests.gateway.config.conftest import GATEWAY

if TYPE_CHECKING:
    from tests.gateway.config.conftest import ConfigurationFolder


def test_smallest_gateway_file_has_the_documented_defaults(folder: ConfigurationFolder) -> None:
    """Three keys are enough; all else has a value that a plant can run with."""
    configuration = folder.load().configuration
    assert configuration is not None
    config = configuration.gateway
    assert (config.broker.protocol, config.broker.keepalive_s) == ("5", 15)
    assert (config.publish.encoder, config.publish.layout, config.publish.history_topic) == (
        "json",
        "device",
        "history",
    )
    assert (config.outbox.spill_after_s, config.outbox.max_mb, config.outbox.keep_free_mb) == (1.0, 2000, 200)
    assert config.gateway.location.levels() == []


def test_levels_that_are_left_out_are_left_out(folder: ConfigurationFolder) -> None:
    """A plant without areas has no empty level in its topics."""
    assert Location(enterprise="acme", line="presses").levels() == ["acme", "presses"]


def test_broker_knows_its_address() -> None:
    """Host and port come from the url that was checked."""
    assert Broker(url="mqtt://broker:1884").addresses == [("broker", 1884, False)]


def test_url_is_checked_when_the_model_is_made() -> None:
    """No program can make a broker that cannot be reached for its form."""
    with pytest.raises(ValidationError, match="must begin with mqtt://"):
        Broker(url="broker")


@pytest.mark.parametrize("level", ["a/b", "a+", "#", "a b", "", "x" * 65, "a\tb"])
def test_level_of_a_topic_has_no_sign_with_a_meaning(folder: ConfigurationFolder, level: str) -> None:
    """A slash or a wildcard in a level would change the topics of the whole plant."""
    folder.gateway(
        GATEWAY.replace("{id: press-hall-1}", f'{{id: g, location: {{site: "{level}"}}}}'.replace("\t", "\\t"))
    )
    (line,) = folder.told()
    assert "site must be one level of an MQTT topic: no space, no /, + or #, at most 64 characters" in line


@pytest.mark.parametrize("level", ["Straße-7", "hall.2", "10LAB20", "x" * 64])
def test_level_of_a_topic_may_be_any_other_text(folder: ConfigurationFolder, level: str) -> None:
    """Plants have names of their own."""
    folder.gateway(GATEWAY.replace("{id: press-hall-1}", f"{{id: g, location: {{site: {level}}}}}"))
    assert folder.told() == []


def test_models_cannot_be_changed() -> None:
    """A configuration that was checked stays as it was checked."""
    secret = Secret(secret="a")  # noqa: S106 - the name of a secret
    with pytest.raises(ValidationError):
        secret.secret = "b"  # type: ignore[misc]  # noqa: S105 - what is tested
