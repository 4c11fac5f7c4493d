"""Whatever stands in a file: problems come back, nothing is raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config import yaml_positions
from gateway.config.load import load
from gateway.config.messages import fit
from gateway.config.schema import GatewayConfig
from gateway.config.yaml_positions import compose
from gateway.registry import driver_names, driver_spec
from tests.gateway.config.conftest import CONNECTION, GATEWAY

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tests.gateway.config.conftest import ConfigurationFolder

PIECES = [
    *(
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "\t",
        ": ",
        ":",
        ", ",
        "{",
        "}",
        "[",
        "]",
        "'",
        '"',
        "#",
        " # ",
        "- ",
        "? ",
        "| ",
        "> ",
    ),
    *(
        "&a ",
        "*a",
        "!",
        "!!str ",
        "%",
        "@",
        "`",
        "\\",
        "---",
        "...",
        "<<: ",
        "~",
        "null",
        "no",
        "08",
        "1_0",
        "12:30",
        "1.5",
    ),
    *(
        "version: 1\n",
        "driver: ",
        "modbus",
        "sim",
        "devices:\n",
        "tags:\n",
        "address: ",
        "analog",
        "period_s",
        "range: [0, 1]",
    ),
    *(
        "password: ",
        "secret: ",
        "gateway: ",
        "id: ",
        "broker: ",
        "url: ",
        "mqtt://a",
        "é",
        "\u00a0",
        "x" * 70,
        "9" * 30,
        "-1",
    ),
]
FILES = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)

MODELS = [GatewayConfig, *(driver_spec(name).connection for name in driver_names())]


def check_document(text: str, model: type[BaseModel]) -> None:
    document = compose(text, "f")
    assert document.root is not None or document.problems
    lines = text.splitlines() or [""]
    if document.root is not None:
        fitting, problems = fit(model, document)
        assert fitting is not None or problems or document.problems
        document.problems.extend(problems)
    for problem in document.problems:
        assert "\n" not in problem.sentence
        assert 1 <= problem.line <= len(lines) + 1
        assert problem.column >= 1
        assert problem.text


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(text=FILES)
def test_any_pieces_of_yaml_are_told_not_raised(model: type[BaseModel], text: str) -> None:
    """Every model meets pieces of real files in any order."""
    check_document(text, model)


@given(text=FILES)
def test_any_pieces_of_yaml_are_told_by_the_parser_in_python(text: str) -> None:
    """Where the parser in C is missing, the other one serves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_positions, "_LOADER", yaml.SafeLoader)
        check_document(text, GatewayConfig)


@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\r\t"), max_size=200))
def test_any_text_is_told_not_raised(text: str) -> None:
    """Text that was never YAML."""
    document = compose(text, "f")
    assert document.root is not None or document.problems


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(gateway=st.binary(max_size=300), connection=st.binary(max_size=300))
def test_any_bytes_in_the_files_are_told_not_raised(
    folder: ConfigurationFolder, gateway: bytes, connection: bytes
) -> None:
    """Files of noise give no configuration, and say why."""
    (folder.path / "gateway.yaml").write_bytes(gateway)
    (folder.connections / "press-hall.yaml").write_bytes(connection)
    result = load(folder.path)
    assert result.configuration is None
    assert {problem.file for problem in result.errors} == {"gateway.yaml", "connections/press-hall.yaml"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.integers(0, len(CONNECTION.encode())), noise=st.binary(max_size=8), at=st.integers(0, 200))
def test_damaged_file_is_used_whole_or_not_at_all(folder: ConfigurationFolder, cut: int, noise: bytes, at: int) -> None:
    """A file that a full disk cut short, or that a bad card changed, is either still good or left out with a reason."""
    content = CONNECTION.encode()[:cut]
    (folder.connections / "press-hall.yaml").write_bytes(content[:at] + noise + content[at:])
    result = load(folder.path)
    assert result.configuration is not None
    used = bool(result.configuration.connections)
    assert used == (not result.errors)
    assert result.left_out == (() if used else ("press-hall",))


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=6, max_size=40))
def test_no_password_is_ever_repeated(password: str) -> None:
    """However it is written, however it breaks the file, a password is not in any message."""
    marked = "\u2603".join(password)
    for form in (
        "{}",
        "'{}'",
        '"{}"',
        "[{}]",
        "{{{}}}",
        "{{secret: [{}]}}",
        "*{}",
        "!{} x",
        "|\n    {}",
        "\n    {}: x",
    ):
        document = compose(f"{GATEWAY}  password: {form.format(marked)}\n", "f")
        problems = fit(GatewayConfig, document)[1] if document.root else []
        told = [problem.sentence for problem in [*document.problems, *problems]]
        assert told, form
        assert "\u2603" not in "".join(told)
        assert "\\u2603" not in "".join(told)
