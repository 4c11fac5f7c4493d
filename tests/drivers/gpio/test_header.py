from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drivers.gpio.config import GpioConnection
from drivers.gpio.header import find_chip, load_lgpio, open_factory
from drivers.gpio.pins import PinUnavailableError, open_pins
from gateway.collect.plan import devices_of
from gateway.driver import LinkError
from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import Callable

DOOR = {"address": "GPIO17", "debounce_ms": 0.0}
STOP = {"address": "GPIO27", "pull": "none", "active": "high", "debounce_ms": 0.0}


async def test_edges_and_levels_come_through_lgpio(bench: Callable[..., Any], lgpio: Any) -> None:
    """The whole way over gpiozero's lgpio back end: pulls, the first level, edges told in another thread, release."""
    press = bench({"door": DOOR, "stop": STOP}, pin_factory="lgpio")
    lgpio.levels[17] = 1
    async with press.running():
        assert press.seen == [{"door": False, "stop": False}]
        assert lgpio.bias == {17: lgpio.SET_PULL_UP, 27: lgpio.SET_PULL_NONE}
        lgpio.drive(17, 0)
        await press.until(lambda: press.values("door") == [False, True])
        lgpio.drive(27, 1)
        await press.until(lambda: press.values("stop") == [False, True])
    assert lgpio.handles == {}
    assert lgpio.callbacks == []


async def test_listening_again_sees_edges_on_the_same_pins(bench: Callable[..., Any], lgpio: Any) -> None:
    """By itself gpiozero forgets a pin's callback when its device closes; then the second round would be deaf."""
    press = bench({"door": DOOR}, pin_factory="lgpio")
    await press.driver.open()
    for expected in ([True, False], [True, False] * 2):
        lgpio.levels[17] = 0
        async with press.listening():
            assert len(lgpio.callbacks) == 1
            lgpio.drive(17, 1)
            await press.until(lambda expected=expected: press.values("door") == expected)
    await press.driver.close()


async def test_opening_and_closing_fifty_times_leaves_no_handle(bench: Callable[..., Any], lgpio: Any) -> None:
    """Each round opens the chip once and closes it; no callback stays in the library's thread."""
    press = bench({"door": DOOR, "stop": STOP}, pin_factory="lgpio")
    for _ in range(50):
        async with press.running():
            assert len(lgpio.handles) == 1
        assert lgpio.handles == {}
        assert lgpio.callbacks == []


async def test_a_pin_that_the_kernel_gave_to_another_is_bad_alone_and_heals(
    bench: Callable[..., Any], lgpio: Any
) -> None:
    """GPIO busy makes one tag BAD with these words; when the other program ends, the tag is GOOD within a period."""
    press = bench({"door": DOOR, "stop": STOP}, pin_factory="lgpio")
    lgpio.busy.add(17)
    async with press.running():
        assert press.seen == [{"door": None, "stop": False}]
        assert press.batches[0].quality[0] is Quality.NOT_AVAILABLE
        assert press.batches[0].source_status == {0: "GPIO busy"}
        lgpio.busy.clear()
        press.clock.advance(1)
        await press.until(lambda: press.values("door") == [None, True])


async def test_a_chip_that_fails_ends_the_listening_and_closing_is_quiet(bench: Callable[..., Any], lgpio: Any) -> None:
    """An error of lgpio at a reading names pin and chip; what cannot be released then does not raise."""
    press = bench({"door": DOOR}, pin_factory="lgpio")
    await press.driver.open()
    listening = asyncio.create_task(press.driver.listen(devices_of(press.config), press.batches.append))
    await press.until(lambda: bool(press.batches))
    lgpio.gone = True
    press.clock.advance(1)
    with pytest.raises(LinkError, match=r"cannot read GPIO17 on .*/gpiochip4: unknown handle"):
        await asyncio.wait_for(listening, 10)
    await press.driver.close()
    lgpio.gone = False
    async with press.running():
        assert press.seen == [{"door": True}] * 2


def test_an_edge_of_a_released_pin_does_not_end_the_thread_of_the_library(lgpio: Any) -> None:
    """The library tells all edges of the process in one thread; an exception there would make every pin deaf."""
    pins = open_pins(_connection())
    line = pins.claim(17, "up", lambda _: None)
    (callback,) = lgpio.callbacks
    line.release()
    callback.function(0, 17, 1, 0)
    pins.close()


def test_closing_one_header_leaves_the_pins_of_another(lgpio: Any) -> None:
    """Two files may each read some pins; gpiozero alone would close all pins of the process with the first factory."""
    first, second = open_pins(_connection()), open_pins(_connection())
    first.claim(17, "up", lambda _: None)
    line = second.claim(27, "up", lambda _: None)
    first.close()
    lgpio.levels[27] = 1
    assert second.level(line)
    assert len(lgpio.callbacks) == 1
    second.close()


def test_two_headers_cannot_have_the_same_pin(lgpio: Any) -> None:
    """The second user of a pin in one process is told who has it."""
    first, second = open_pins(_connection()), open_pins(_connection())
    line = first.claim(17, "up", lambda _: None)
    with pytest.raises(PinUnavailableError, match="GPIO17 is already in use"):
        second.claim(17, "up", lambda _: None)
    line.release()
    second.claim(17, "up", lambda _: None).release()
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("labels", "chip"),
    [
        ({0: "pinctrl-bcm2711", 1: "raspberrypi-exp-gpio"}, 0),
        ({0: "pinctrl-bcm2835"}, 0),
        ({0: "pinctrl-rp1", 10: "gpio-brcmstb@107d508500"}, 0),
        ({0: "gpio-brcmstb@107d508500", 4: "pinctrl-rp1", 10: "gpio-brcmstb@107d508520"}, 4),
        ({2: "ftdi-cbus", 10: "pinctrl-bcm2711"}, 10),
    ],
)
def test_the_chip_is_found_by_its_label(lgpio: Any, tmp_path: Path, labels: dict[int, str], chip: int) -> None:
    """Every numbering that kernels have given to the header's chip, and USB adapters before it."""
    devices = _devices(tmp_path / "dev", labels)
    lgpio.labels = labels
    assert find_chip(lgpio, devices) == chip
    assert lgpio.handles == {}


def test_the_board_of_the_chip_knows_all_header_pins(lgpio: Any, tmp_path: Path) -> None:
    """A board that tells no revision still has GPIO0 to GPIO27."""
    factory, where = open_factory(_devices(tmp_path / "dev", lgpio.labels))
    assert where.endswith("/gpiochip4")
    assert {f"GPIO{n}" for n in range(28)} <= {
        pin.name for header in factory.board_info.headers.values() for pin in header.pins.values()
    }
    factory.close()


def test_without_a_raspberry_pi_the_error_says_what_was_found(lgpio: Any, tmp_path: Path) -> None:
    """The technician reads which chips are there, and that mock pins exist."""
    lgpio.labels = {0: "pl061", 3: "ftdi-cbus"}
    with pytest.raises(LinkError) as error:
        open_factory(_devices(tmp_path / "dev", lgpio.labels))
    assert "gpiochip0 is pl061, gpiochip3 is ftdi-cbus" in str(error.value)
    assert "pin_factory: mock" in str(error.value)


def test_without_any_chip_the_error_says_so(lgpio: Any, tmp_path: Path) -> None:
    """A machine without GPIO at all."""
    with pytest.raises(LinkError, match="there is no gpiochip at all"):
        open_factory(_devices(tmp_path / "dev", {}))


def test_missing_permission_names_chip_and_group(lgpio: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text holds the command that helps, with the group that the device file really belongs to."""
    devices = _devices(tmp_path / "dev", {4: "pinctrl-rp1"})
    monkeypatch.setattr(os, "access", lambda *_: False)
    group = (devices / "gpiochip4").group()
    with pytest.raises(LinkError) as error:
        open_factory(devices)
    assert f"no permission to open {devices}/gpiochip4" in str(error.value)
    assert f"usermod -aG {group} USER" in str(error.value)


def test_a_group_without_a_name_is_called_gpio(lgpio: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container the device's group may have a number only; the group of Raspberry Pi OS is then the best word."""
    devices = _devices(tmp_path / "dev", {0: "pinctrl-rp1"})
    os.chown(devices / "gpiochip0", -1, os.getgid())
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(Path, "group", lambda _: (_ for _ in ()).throw(KeyError("gid")))
    with pytest.raises(LinkError, match="to group gpio"):
        find_chip(lgpio, devices)


def test_a_chip_that_cannot_be_opened_is_a_link_error(lgpio: Any, tmp_path: Path) -> None:
    """A device file whose chip refuses, as in a container that may not use the device."""
    devices = _devices(tmp_path / "dev", {4: "pinctrl-rp1"})
    lgpio.labels = {}
    with pytest.raises(LinkError, match=rf"cannot open the GPIO chip in {devices}: can not open gpiochip"):
        open_factory(devices)


@pytest.mark.parametrize("stub", [None, type(sys)("lgpio")])
def test_a_missing_library_is_named_with_its_package(stub: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """No lgpio at all, and the empty lgpio 0.0.0.2 that some indexes offer: never a silent fallback."""
    monkeypatch.setitem(sys.modules, "lgpio", stub)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    with pytest.raises(LinkError, match=r"install lgpio 0.2.2 or later .* or python3-lgpio"):
        load_lgpio()


def test_an_unwritable_folder_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The runtime folder of the service does not exist."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{tmp_path}/nowhere:{tmp_path}")
    with pytest.raises(LinkError, match=rf"{tmp_path}/nowhere is none"):
        load_lgpio()


def test_the_real_library_leaves_no_trace_in_our_folders(tmp_path: Path) -> None:
    """Loading lgpio in a folder that cannot be written: the working directory stays, and no pipe lies anywhere."""
    if find_spec("lgpio") is None:
        pytest.skip("no lgpio for this Python")
    runtime, work = tmp_path / "run", tmp_path / "work"
    runtime.mkdir()
    work.mkdir()
    program = """
import asyncio
import os
from drivers.gpio.header import load_lgpio
before = os.getcwd()
lgpio, back_end = load_lgpio()
fds = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
pipes = [fd for fd in fds if os.path.lexists(fd) and ".lgd-nfy" in os.readlink(fd)]
print(os.getcwd() == before, "LG_WD" in os.environ, len(pipes), back_end.__name__)
"""
    environment = os.environ | {"RUNTIME_DIRECTORY": f"{runtime}:{tmp_path}"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=work, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False", "2", "gpiozero.pins.lgpio"]
    assert done.stderr == ""
    assert list(runtime.iterdir()) == list(work.iterdir()) == []


def _connection() -> GpioConnection:
    tags = {"contact": {"address": "GPIO4"}}
    return GpioConnection.model_validate(
        {"version": 1, "driver": "gpio", "pin_factory": "lgpio", "devices": {"press": {"tags": tags}}}
    )


def _devices(folder: Path, chips: dict[int, str]) -> Path:
    folder.mkdir()
    for chip in chips:
        (folder / f"gpiochip{chip}").touch()
    return folder
