"""What a technician may write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.opcua.config import OpcuaConnection, OpcuaTag
from drivers.opcua.security_config import OpcuaSecurity, default_pki
from gateway.collect.plan import devices_of

NODE = "nsu=urn:acme:press;s=Press1.OilTemperature"


def written(**settings: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "driver": "opcua",
        "url": "opc.tcp://plc",
        "insecure": True,
        "devices": {"press": {"tags": {"oil_temperature": {"address": NODE}}}},
    } | settings


def refusal(**settings: Any) -> dict[str, Any]:
    """Where the only error is, and what it says."""
    with pytest.raises(ValidationError) as caught:
        OpcuaConnection.model_validate(written(**settings))
    (error,) = caught.value.errors()
    return {"where": error["loc"], "says": error["msg"]}


def test_the_least_that_works() -> None:
    """Five keys and an address; the rest has defaults."""
    config = OpcuaConnection.model_validate(written())
    (device,) = devices_of(config)
    (tag,) = device.plan.tags

    assert config.publishing_interval_ms == 500
    assert (tag.address, tag.type, tag.parameters, tag.period_s) == (NODE, "auto", (), 0.5)
    assert device.timing.timeout_s == 5


def test_a_connection_is_secure_unless_insecurity_is_asked_for() -> None:
    """Left out, the server must prove itself and what travels is encrypted."""
    left_out = written()
    del left_out["insecure"]
    config = OpcuaConnection.model_validate(left_out)

    assert not config.insecure
    assert (config.security.policy, config.security.mode) == (None, "sign_and_encrypt")


@pytest.mark.parametrize(
    ("settings", "where", "says"),
    [
        ({"security": {}}, ("security",), "contradicts `insecure: true`"),
        ({"username": "gw"}, ("password_file",), "username and password_file belong together"),
        ({"password_file": "/p"}, ("password_file",), "username and password_file belong together"),
        ({"username": "gw", "password_file": "p"}, ("password_file",), "write the whole path, beginning with /"),
        ({"user_certificate": "/c"}, ("user_key",), "user_certificate and user_key belong together"),
        (
            {"username": "gw", "password_file": "/p", "user_certificate": "/c"},
            ("user_certificate",),
            "leave one of them out",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_at_its_key(
    settings: dict[str, Any], where: tuple[str, ...], says: str
) -> None:
    """A half-given login or security is an error at the check, not a refused connection at night."""
    error = refusal(**settings)
    assert error["where"] == where
    assert says in error["says"]


@pytest.mark.parametrize(
    ("security", "where"),
    [
        ({"policy": "Basic256"}, ("security", "policy")),
        ({"policy": "None"}, ("security", "policy")),
        ({"mode": "none"}, ("security", "mode")),
        ({"pki": "pki"}, ("security", "pki")),
    ],
)
def test_weak_security_has_no_name(security: dict[str, Any], where: tuple[str, ...]) -> None:
    """Deprecated policies and None cannot be written; only `insecure: true` can."""
    assert refusal(insecure=False, security=security)["where"] == where


def test_a_password_over_an_open_line_is_doubted() -> None:
    """It is allowed, and probably not meant."""
    login = {"username": "gw", "password_file": "/etc/edge-gateway/secrets/press"}
    (doubt,) = OpcuaConnection.model_validate(written(**login)).doubts()

    assert doubt.key == "username"
    assert list(OpcuaConnection.model_validate(written(insecure=False, **login)).doubts()) == []


def test_the_folder_of_certificates_lies_in_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What systemd names comes first; without a service it is the user's own."""
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}:/other")
    assert default_pki() == tmp_path / "pki" / "opcua"
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setattr("drivers.opcua.security_config.SERVICE_PKI", tmp_path / "no" / "pki" / "opcua")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_pki() == tmp_path / "edge-gateway" / "pki" / "opcua"
    assert OpcuaSecurity(pki="/srv/pki").folder == Path("/srv/pki")


def test_a_wrong_url_is_refused_at_its_key() -> None:
    """The position of the error is the key."""
    assert refusal(url="plc:4840")["where"] == ("url",)


def test_a_wrong_node_id_is_refused_at_its_tag() -> None:
    """The position of the error is the tag's address."""
    error = refusal(devices={"press": {"tags": {"t": {"address": "Press1.OilTemperature"}}}})
    assert error["where"] == ("devices", "press", "tags", "t", "address")
    assert "is not a node id" in error["says"]


@pytest.mark.parametrize("interval", [0, 9, 60_001, -500])
def test_a_publishing_interval_that_no_server_can_keep_is_refused(interval: int) -> None:
    """10 ms to a minute."""
    assert refusal(publishing_interval_ms=interval)["where"] == ("publishing_interval_ms",)


def test_an_unknown_type_is_refused() -> None:
    """The message lists the known ones."""
    error = refusal(devices={"press": {"tags": {"t": {"address": NODE, "type": "float32"}}}})
    assert "'auto', 'bool', 'int', 'float' or 'text'" in error["says"]


def test_the_sampling_interval_is_the_tags_then_the_devices_then_the_connections() -> None:
    """The nearest word wins."""
    tags = {"own": {"address": NODE, "period_s": 0.1}, "device": {"address": NODE}}
    config = OpcuaConnection.model_validate(
        written(defaults={"period_s": 3}, devices={"a": {"period_s": 2, "tags": tags}, "b": {"tags": tags}})
    )
    assert [[tag.period_s for tag in device.plan.tags] for device in devices_of(config)] == [[0.1, 2], [0.1, 3]]


def test_the_type_is_part_of_what_makes_the_number() -> None:
    """An auditor sees by the plan's id that another type was declared."""
    auto, declared = (
        devices_of(OpcuaConnection.model_validate(written(devices={"p": {"tags": {"t": tag}}})))[0].plan.id
        for tag in ({"address": NODE}, {"address": NODE, "type": "int"})
    )
    assert auto != declared


def test_tags_and_devices_do_not_change_the_transport() -> None:
    """A reload that changes only these keeps the connection open; another url does not."""
    config = OpcuaConnection.model_validate(written())
    more = OpcuaConnection.model_validate(written(devices={"other": {"tags": {"t": {"address": "i=2258"}}}}))
    moved = OpcuaConnection.model_validate(written(url="opc.tcp://other"))
    assert config.reached_by() == more.reached_by()
    assert config.reached_by() != moved.reached_by()


def test_the_address_of_a_tag_is_parsed_on_demand() -> None:
    """The text is what the technician wrote."""
    tag = OpcuaTag(address=NODE)
    assert str(tag.node) == tag.address == NODE


@pytest.mark.parametrize(("address", "doubted"), [("ns=2;s=Press1.Oil", True), (NODE, False), ("i=2258", False)])
def test_a_namespace_by_its_index_is_accepted_and_doubted(address: str, *, doubted: bool) -> None:
    """The index may name a stranger's namespace tomorrow; that of the standard never does."""
    doubts = list(OpcuaTag(address=address).doubts())
    assert [doubt.key for doubt in doubts] == ["address"] * doubted
    assert all("ns=2 is a place" in doubt.text for doubt in doubts)
