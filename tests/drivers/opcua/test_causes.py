"""Why a connection failed, in words."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest
from asyncua import ua
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from drivers.opcua.causes import _HINTS, ServerError, as_link_errors, cause_of
from gateway.driver import LinkError
from gateway.model import Quality

URL = "opc.tcp://plc:4840"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConnectionRefusedError(), "connection refused. Nothing listens on this port"),
        (TimeoutError(), "no answer within 5 s. Look at the cable, the address, a firewall"),
        (socket.gaierror(-2, "Name or service not known"), "this host name is not known"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "there is no way to this host"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "there is no way to this host"),
        (ConnectionResetError(), "the connection broke"),
        (BrokenPipeError(), "the connection broke"),
        (OSError(errno.EMFILE, "Too many open files"), "the network failed: [Errno 24] Too many open files"),
        (UaStatusCodeError(ua.StatusCodes.BadTooManySessions), "BadTooManySessions: all its sessions are taken"),
        (UaStatusCodeError(ua.StatusCodes.BadSecurityPolicyRejected), "it asks for certificates"),
        (UaStatusCodeError(ua.StatusCodes.BadTcpEndpointUrlInvalid), "it does not answer to this url"),
        (UaStatusCodeError(ua.StatusCodes.BadIdentityTokenRejected), "it does not let this user in"),
        (UaStatusCodeError(ua.StatusCodes.BadInternalError), "BadInternalError: look at its log"),
        (UaError("No matching endpoints: 1, None"), "the server has no end point with security None"),
        (UaError("odd"), "the server answered what cannot be understood (odd)"),
        (ServerError("the server is silent."), "the server is silent."),
    ],
)
def test_each_failure_is_told_with_what_to_look_at(error: OSError | UaError, says: str) -> None:
    """One sentence for a technician at night."""
    assert says in cause_of(error, 5.0)


def test_every_hint_is_for_a_status_of_the_standard() -> None:
    """A misspelt name would never match."""
    assert set(_HINTS) <= {name for name, _ in ua.status_codes.code_to_name_doc.values()}


async def test_a_failure_becomes_a_link_error_that_names_the_url() -> None:
    """With its cause kept for the log, and the quality that the devices get."""
    with pytest.raises(LinkError, match=f"^{URL}: connection refused") as caught, as_link_errors(URL, 5):
        raise ConnectionRefusedError
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
    assert caught.value.quality is Quality.NO_REPLY


async def test_other_failures_pass() -> None:
    """A defect is not taken for a broken cable."""
    with pytest.raises(ZeroDivisionError), as_link_errors(URL, 5):
        raise ZeroDivisionError


async def test_a_cancellation_that_the_library_makes_up_is_a_broken_link() -> None:
    """Nobody asked this task to stop, so it must not stop."""
    with pytest.raises(LinkError, match="given up half-way"), as_link_errors(URL, 5):
        raise asyncio.CancelledError


async def test_a_cancellation_of_the_task_itself_goes_on() -> None:
    """Who asked for it gets it."""

    async def wait() -> None:
        with as_link_errors(URL, 5):
            await asyncio.sleep(60)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_time_limit_around_it_stays_a_time_limit() -> None:
    """`asyncio.timeout` works by cancelling, and must see its cancellation again."""

    async def wait() -> None:
        with as_link_errors(URL, 5):
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wait(), 0.01)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await wait()


async def test_a_time_limit_within_it_is_an_answer_that_did_not_come() -> None:
    """The driver's own limits are the server's failures."""
    with pytest.raises(LinkError, match="no answer within 5 s"), as_link_errors(URL, 5):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)


async def test_a_cancellation_survived_before_does_not_count_again() -> None:
    """A task that was once cancelled and went on can still tell one made up by the library."""

    async def survivor() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            with as_link_errors(URL, 5):
                raise asyncio.CancelledError from None

    task = asyncio.create_task(survivor())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(LinkError):
        await task
