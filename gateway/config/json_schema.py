"""JSON Schemas of the configuration files, for editors: they complete keys and mark what is wrong while one types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from gateway.config.derived import DerivedConfig
from gateway.config.profile import ProfileConfig
from gateway.config.schema import GatewayConfig
from gateway.connection import RESERVED_NAMES, Name

if TYPE_CHECKING:
    from gateway.driver import DriverSpec

Schema = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def gateway_schema() -> Schema:
    """The schema of gateway.yaml."""
    return _for_editors(GatewayConfig.model_json_schema(), "gateway.yaml")


def derived_schema() -> Schema:
    """The schema of derived.yaml."""
    return _for_editors(DerivedConfig.model_json_schema(), "derived.yaml")


def profile_schema() -> Schema:
    """The schema of a profile."""
    return _for_editors(ProfileConfig.model_json_schema(), "profile")


def connection_schema(spec: DriverSpec) -> Schema:
    """The schema of a connection file of this driver."""
    return _for_editors(spec.connection.model_json_schema(), f"connection file, driver {spec.name}")


def _for_editors(schema: Schema, title: str) -> Schema:
    plain = _plain(schema)
    return {"$schema": _DIALECT, **plain, "title": title}


def _plain(part: Any) -> Any:
    """The schema without what no file says: None, and the titles that repeat the names of the keys."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _plain(value) for key, value in part.items() if not _is_noise(key, value)}
    return _strict_names(_without_none(kept))


def _is_noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)


def _without_none(part: Schema) -> Schema:
    """A choice between something and None is that something: files cannot say None."""
    default = part.get("default")
    if isinstance(default, dict):
        part["default"] = {key: value for key, value in default.items() if value is not None}
    some = [member for member in part.get("anyOf", ()) if member != {"type": "null"}]
    if len(some) == 1:
        return {**some[0], **{key: value for key, value in part.items() if key != "anyOf"}}
    return {**part, "anyOf": some} if some else part


def _strict_names(part: Schema) -> Schema:
    """Names keep to their pattern; those of devices and tags leave the gateway's own topics alone."""
    if "patternProperties" not in part:
        return part
    strict = {**part, "additionalProperties": False}
    if get_args(Name)[1].pattern not in part["patternProperties"]:
        return strict
    return {**strict, "propertyNames": {"not": {"enum": sorted(RESERVED_NAMES)}}}
