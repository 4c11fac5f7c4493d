"""The fault campaign: each row in a form for every run of the tests, and some also at full length."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--campaign` runs the rows at full length."""
    parser.addoption("--campaign", action="store_true", help="run the fault campaign at full length (minutes to hours)")


@pytest.fixture(scope="session")
def campaign(request: pytest.FixtureRequest) -> bool:
    """Whether rows are run at full length."""
    return bool(request.config.getoption("--campaign", default=False))
