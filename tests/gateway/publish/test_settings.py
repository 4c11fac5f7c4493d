from __future__ import annotations

from pathlib import Path

from gateway.config.schema import Broker, Secret
from gateway.config.tls_files import TlsFiles
from gateway.publish.settings import BrokerSettings

SECRET = Secret(secret="name")  # noqa: S106 - the name of a secret
TLS = TlsFiles(Path("/ca.pem"))


def test_settings_take_over_what_the_file_says() -> None:
    """Every key of `broker` in gateway.yaml arrives; the secret comes as its value."""
    broker = Broker(url="mqtt://b:2883", username="u", password=SECRET, protocol="3.1.1", keepalive_s=60)
    (settings,) = BrokerSettings.of(broker, "gw-1", "value", TLS)
    assert settings == BrokerSettings("b", 2883, "gw-1", "u", "value", "3.1.1", keepalive_s=60)


def test_each_url_is_a_broker_and_only_mqtts_is_encrypted() -> None:
    """A list falls back from one to the next, and each has its own kind of link."""
    first, second = BrokerSettings.of(Broker(url=["mqtts://a", "mqtt://b"]), "gw-1", None, TLS)
    assert (first.where, first.tls) == ("a:8883", TLS)
    assert (second.where, second.tls) == ("b:1883", None)


def test_a_password_is_not_shown() -> None:
    """Settings may be logged or stand in a traceback."""
    assert "value" not in repr(BrokerSettings("b", 1883, "gw-1", "u", "value"))


def test_the_endpoint_is_named_as_people_write_it() -> None:
    """Every error text begins with it."""
    assert BrokerSettings("10.0.0.5", 1883, "gw-1").where == "10.0.0.5:1883"
