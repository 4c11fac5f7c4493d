"""Certificates and users against node-opcua, a server that nobody of this project wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drivers.opcua.errors import NO_LOGIN, NO_POLICY, NOT_TRUSTED_THERE, UNTRUSTED, WRONG_NAME
from drivers.opcua.names import hosts
from gateway.driver import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drivers.opcua.pki import Pki
    from tests.drivers.opcua.conftest import Ear, ForeignPress

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

TAGS = {"t": "nsu=urn:acme:press;s=Press1.OilTemperature"}

ENCRYPTED = {"securityMode": "SignAndEncrypt", "securityPolicy": "Basic256Sha256", "discovery": True}


async def _refused(heard: Ear) -> LinkError:
    with pytest.raises(LinkError) as caught:
        await heard.driver.open()
    assert heard.batches == []
    return caught.value


async def test_from_a_stranger_to_values_with_a_user(
    foreign_press: ForeignPress, pki: Pki, ear: Callable[..., Ear], password_file: Path
) -> None:
    """The way that a technician goes: refused, trusted, named right, wrong policy, wrong password, values."""
    await foreign_press.start(**ENCRYPTED, anonymous=False)

    def gateway(**settings: Any) -> Ear:
        security = {"pki": str(pki.folder), "policy": "Basic256Sha256"} | settings.pop("security", {})
        login = {"username": "gateway", "password_file": str(password_file)}
        return ear(foreign_press.url, TAGS, **({"insecure": False, "security": security} | login | settings))

    assert (await _refused(gateway())).code == UNTRUSTED
    (rejected,) = pki.certificates(pki.rejected)
    pki.trust(rejected.path.stem)
    assert (await _refused(gateway())).code == WRONG_NAME
    name = {"server_name": hosts(rejected.certificate)[0]}
    assert (await _refused(gateway(security=name | {"policy": "Aes128_Sha256_RsaOaep"}))).code == NO_POLICY
    assert (await _refused(gateway(security=name, username="stranger"))).code == NO_LOGIN
    heard = await gateway(security=name).hear()
    assert heard.last("t") == (71.3, "good", None)


async def test_a_server_that_does_not_trust_the_gateway_says_so(
    foreign_press: ForeignPress, pki: Pki, ear: Callable[..., Ear]
) -> None:
    """The message tells where to move the gateway's certificate."""
    await foreign_press.start(**ENCRYPTED, accept=False, pki="strict")
    settings = {"insecure": False, "security": {"pki": str(pki.folder)}}
    await _refused(ear(foreign_press.url, TAGS, **settings))
    (rejected,) = pki.certificates(pki.rejected)
    pki.trust(rejected.path.stem)
    settings["security"]["server_name"] = hosts(rejected.certificate)[0]
    error = await _refused(ear(foreign_press.url, TAGS, **settings))
    assert error.code == NOT_TRUSTED_THERE
    assert "`edge-gateway opcua certs` shows it" in str(error)
