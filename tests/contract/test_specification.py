"""What every driver says of itself before anything is opened."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from gateway.collect.plan import devices_of
from gateway.connection import ConnectionConfig, DeviceConfig, TagConfig, Timing
from gateway.driver import DriverSpec, ListeningDriver, PollingDriver
from gateway.registry import driver_names
from tests.contract.conftest import TYPES

if TYPE_CHECKING:
    from tests.contract.conftest import Footprint, Subject

LOADS = """
import sys
import gateway.registry, gateway.connection, gateway.driver
def foreign():
    ours = {"gateway", "drivers", *sys.stdlib_module_names}
    return {name.partition(".")[0] for name in sys.modules} - ours
before = foreign()
gateway.registry.driver_spec(sys.argv[1])
print(sorted(foreign() - before))
"""


@pytest.mark.parametrize("name", driver_names())
def test_importing_the_specification_loads_no_library(name: str) -> None:
    """A driver that is not configured costs no memory: only its models are loaded, on what the core has already."""
    done = subprocess.run([sys.executable, "-c", LOADS, name], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_models_extend_those_of_the_core(subject: Subject) -> None:
    """Each model is the driver's own, narrows `devices` and `tags` to its own, and refuses unknown keys."""
    spec = subject.spec
    assert isinstance(spec, DriverSpec)
    for model, base in ((spec.connection, ConnectionConfig), (spec.device, DeviceConfig), (spec.tag, TagConfig)):
        assert issubclass(model, base)
        assert model is not base
        assert model.model_config["extra"] == "forbid"
        assert model.model_config["frozen"]
    for device in subject.config.devices.values():
        assert type(device) is spec.device
        assert {type(tag) for tag in device.tags.values()} == {spec.tag}


def test_every_key_is_described(subject: Subject) -> None:
    """Editors and the reference show the description of each key; none is empty."""
    for model in (subject.spec.connection, subject.spec.device, subject.spec.tag):
        bare = [name for name, field in model.model_fields.items() if not field.description]
        assert bare == []


def test_the_connection_says_its_own_driver(subject: Subject) -> None:
    """A file that names another driver does not pass this one's model."""
    written = subject.config.model_dump()
    assert written["driver"] == subject.spec.name
    with pytest.raises(ValidationError):
        subject.spec.connection.model_validate(written | {"driver": "another"})


def test_every_default_of_the_timing_is_filled_in(subject: Subject) -> None:
    """A device whose file says nothing of timing still has all five times; nothing is aligned unless asked."""
    timing = subject.config.timing()
    assert timing.align is None
    assert all(value is not None for value in Timing.model_dump(timing, exclude={"align"}).values())


def test_devices_have_the_tags_of_the_file_in_its_order(subject: Subject) -> None:
    """The plan of each device, and the words for types that the suite shares."""
    config = subject.config
    for device, (name, written) in zip(devices_of(config), config.devices.items(), strict=True):
        assert device.name == name
        assert [tag.name for tag in device.plan.tags] == list(written.tags)
        for tag in device.plan.tags:
            assert tag.type.rstrip("0123456789") in {*TYPES, "auto"}


def test_claims_are_there_and_stable(subject: Subject) -> None:
    """Something is always claimed, in words, and the same for the same file; the core compares these words."""
    claims = subject.spec.claims(subject.config)
    assert claims
    assert all(claim.strip() == claim != "" for claim in claims)
    assert subject.spec.claims(subject.config) == claims
    assert subject.spec.claims(subject.config.model_copy(update={"version": 1})) == claims


def test_only_what_reaches_the_devices_is_compared_at_a_reload(subject: Subject) -> None:
    """The same file, and one that differs in devices and their timing alone, keep the link open."""
    config = subject.config
    name, device = next(iter(config.devices.items()))
    fewer = config.model_copy(update={"devices": {name: device}, "defaults": Timing(period_s=7.0)})
    assert subject.config.reached_by() == config.reached_by()
    assert fewer.reached_by() == config.reached_by()


def test_every_key_that_reaches_the_devices_is_compared_at_a_reload(subject: Subject) -> None:
    """Another host, port or pin library opens the link anew; a key left out would do nothing until a restart."""
    config = subject.config
    own = set(subject.spec.connection.model_fields) - {"version", "driver", "defaults", "devices"}
    before = config.reached_by()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pydantic finds that "another" is no number
        for key in own:
            assert config.model_copy(update={key: "another"}).reached_by() != before, key


async def test_building_opens_nothing(subject: Subject, footprint: type[Footprint]) -> None:
    """A driver is made for each file at start, long before its link is opened; it is of exactly one kind."""
    subject.build(subject.config)
    before = footprint()
    driver = subject.build(subject.config)
    assert before() == before.before
    assert isinstance(driver, PollingDriver) != isinstance(driver, ListeningDriver)


async def test_closing_what_was_never_opened_is_fine(subject: Subject) -> None:
    """The core closes whatever it has, without asking."""
    driver = subject.build(subject.config)
    await driver.close()
    await driver.close()
