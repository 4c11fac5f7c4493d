"""The JSON Schemas: what the check takes they take, and what a schema can refuse they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gateway.config.files import example_folder
from gateway.config.json_schema import connection_schema, derived_schema, gateway_schema, profile_schema
from gateway.config.yaml_positions import compose
from gateway.registry import driver_names, driver_spec

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "cases" / "config"


def schema_for(path: Path, content: Any) -> dict[str, Any]:
    if path.name == "gateway.yaml":
        return gateway_schema()
    if path.name == "derived.yaml":
        return derived_schema()
    if path.parent.name == "profiles":
        return profile_schema()
    return connection_schema(driver_spec(content["driver"]))


def is_valid(path: Path) -> bool:
    document = compose(path.read_text(encoding="utf-8-sig"), path.name)
    assert document.root is not None
    content = document.root.value
    return bool(jsonschema.Draft202012Validator(schema_for(path, content)).is_valid(content))


def files_of(folder: Path) -> list[Path]:
    more = [
        *(folder / "connections").glob("*.yaml"),
        *(folder / "profiles").glob("*.yaml"),
        *folder.glob("derived.yaml"),
    ]
    return [folder / "gateway.yaml", *sorted(more)]


GOOD = [
    *files_of(example_folder()),
    *sorted((ROOT / "drivers").glob("*/example.yaml")),
    *(path for case in sorted(CASES.glob("good*")) for path in files_of(case)),
]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: str(path.relative_to(ROOT)))
def test_good_files_are_valid(path: Path) -> None:
    """An editor marks nothing in a file that the gateway takes."""
    assert is_valid(path)


@pytest.mark.parametrize("path", files_of(example_folder()), ids=lambda path: path.name)
def test_shipped_file_names_its_schema_for_editors(path: Path) -> None:
    """The first line leads from the file to the schema that ships with it, wherever the folder is copied."""
    _, _, reference = path.read_text().splitlines()[0].partition("# yaml-language-server: $schema=")
    schema = json.loads((path.parent / reference).read_text())
    content = compose(path.read_text(), path.name).root
    assert content is not None
    assert schema == schema_for(path, content.value)


@pytest.mark.parametrize(
    "case",
    [
        "choice_mistyped",
        "empty_groups",
        "group_as_list",
        "group_as_word",
        "key_missing",
        "key_mistyped",
        "key_unknown",
        "list_as_number",
        "modbus_choices",
        "modbus_port_out_of_range",
        "name_reserved",
        "name_too_long",
        "name_with_space",
        "name_with_underscore",
        "no_devices",
        "number_as_word",
        "number_out_of_range",
        "number_quoted",
        "range_of_three",
        "text_as_number",
        "version_missing",
    ],
)
def test_broken_connections_are_invalid(case: str) -> None:
    """An editor marks while one types what the check would refuse."""
    assert not is_valid(CASES / case / "connections" / "press-hall.yaml")


@pytest.mark.parametrize(
    "case",
    [
        "gateway_choices",
        "gateway_missing_keys",
        "gateway_out_of_range",
        "gateway_topic_levels",
        "gateway_unknown_keys",
        "gateway_version_2",
        "gateway_version_quoted",
        "gateway_wrong_types",
        "secret_in_plain_yaml",
    ],
)
def test_broken_gateway_files_are_invalid(case: str) -> None:
    """The same for gateway.yaml."""
    assert not is_valid(CASES / case / "gateway.yaml")


@pytest.mark.parametrize("name", driver_names())
def test_schemas_are_schemas(name: str) -> None:
    """They keep to the standard that they name."""
    for schema in (gateway_schema(), connection_schema(driver_spec(name))):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]


def parts_of(part: Any) -> list[Any]:
    below = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [part, *(inner for value in below for inner in parts_of(value))]


@pytest.mark.parametrize("name", driver_names())
def test_schemas_do_not_offer_what_no_file_may_say(name: str) -> None:
    """No null is suggested by an editor, as a value or as a default, and every key has its description."""
    for part in parts_of(connection_schema(driver_spec(name))):
        assert part is not None
        assert part != "null"
        if isinstance(part, dict) and isinstance(part.get("properties"), dict):
            assert all(value.get("description") for value in part["properties"].values())
