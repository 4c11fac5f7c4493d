"""Puts what a device takes from its profile in place, as if it stood in the connection file.

A key that the device or the tag says itself counts more than the profile's. `"{ct_ratio}"`, or `"{ct_ratio} * 0.1"`, in
a profile stands for the parameter of that name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gateway.config.document import Document, Node, Place
from gateway.config.files import PROFILES_FOLDER, example_folder, read_file
from gateway.config.messages import fit
from gateway.config.problems import did_you_mean, quoted
from gateway.config.profile import ProfileConfig
from gateway.config.yaml_positions import compose
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.config.document import Step
    from gateway.config.files import Source
    from gateway.config.problems import Problem

DEFAULT_GROUP: Final = "default"

_PARAMETER: Final = re.compile(r"\{(?P<name>[\w-]+)\}(?: *\* *(?P<times>[0-9.]+))?")


class Profile:
    """One profile that can be used."""

    def __init__(self, name: str, config: ProfileConfig, document: Document) -> None:
        self.name = name
        self.config = config
        self.document = document

    def picked(self, names: list[str]) -> dict[str, None]:
        """The tags that names of tags and groups stand for, in their order; unknown names are left out."""
        found: dict[str, None] = {}
        ahead = list(names or self._usual())
        opened: set[str] = set()
        while ahead:
            name = ahead.pop(0)
            if name in self.config.tags:
                found[name] = None
            elif name not in opened:
                opened.add(name)
                ahead[:0] = self.config.groups.get(name, [])
        return found

    def words(self) -> list[str]:
        """What `pick` may name."""
        return [*self.config.groups, *self.config.tags]

    def _usual(self) -> list[str]:
        return [DEFAULT_GROUP] if DEFAULT_GROUP in self.config.groups else list(self.config.tags)


class Profiles:
    """The profiles of a configuration folder and those that ship; each is read when it is first named."""

    def __init__(self, own: Mapping[str, Source | None]) -> None:
        self._own = own
        self._known: dict[str, Profile | None] = {}
        self._problems: list[Problem] = []

    def names(self) -> list[str]:
        """All that can be named."""
        return sorted({*self._own, *(path.stem for path in shipped_folder().glob("*.yaml"))})

    def get(self, name: str) -> Profile | None:
        """The profile of this name; None where there is none, or it has mistakes, which are told."""
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def problems(self) -> list[Problem]:
        """What is wrong with the own profiles, and with the others that were named."""
        for name in self._own:
            self.get(name)
        return self._problems

    def _read(self, name: str) -> Profile | None:
        source = self._own.get(name)
        path = shipped_folder() / f"{name}.yaml"
        if name not in self._own and path.is_file():
            source = read_file(path, str(path), self._problems)
        if source is None:
            return None
        document = compose(source.text, source.name)
        config, problems = fit(ProfileConfig, document) if document.root else (None, [])
        problems = [*document.problems, *problems]
        if config is not None and not problems:
            problems += _rules(config, document)
        self._problems += problems
        return None if config is None or problems else Profile(name, config, document)


def shipped_folder() -> Path:
    """Where the profiles lie that ship with the program."""
    return example_folder() / PROFILES_FOLDER


def with_profiles(document: Document, profiles: Profiles) -> None:
    """Give each device of a connection file what it takes from its profile; mistakes become its problems."""
    devices = document.root.children.get("devices") if document.root else None
    driver = document.root.children.get("driver") if document.root else None
    for device in devices.children.values() if devices else ():
        named = device.children.get("profile")
        if named is None or named.refused or not isinstance(named.value, str):
            continue
        profile = profiles.get(named.value)
        if profile is None or driver is None or profile.config.driver != driver.value:
            document.problems.append(_no_profile(document, named, profile, profiles))
            named.refused = device.refused = True
        else:
            _Merge(document, device, profile).done()


def _rules(config: ProfileConfig, document: Document) -> Iterator[Problem]:
    for group, names in config.groups.items():
        for number, name in enumerate(names):
            known = [*config.tags, *config.groups]
            if name not in known:
                place, text = document.value_place(("groups", group, number)), f"there is no tag {quoted(name)}"
                yield document.problem(place, text, did_you_mean(name, known), Code.PROFILE)
        if group in config.tags:
            place = document.key_place(("groups", group))
            yield document.problem(place, f"{quoted(group)} is the name of a tag already", code=Code.PROFILE)
    for steps, value in _texts(document.root, ()):
        told = _PARAMETER.fullmatch(value)
        if told and told["name"] not in config.parameters and steps[0] in {"tags", "device"}:
            place, text = document.value_place(steps), f"there is no parameter {quoted(told['name'])}"
            yield document.problem(place, text, did_you_mean(told["name"], config.parameters), Code.PROFILE)


def _texts(node: Node | None, steps: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], str]]:
    for step, child in node.children.items() if node else ():
        if isinstance(child.value, str):
            yield (*steps, step), child.value
        yield from _texts(child, (*steps, step))


def _no_profile(document: Document, named: Node, profile: Profile | None, profiles: Profiles) -> Problem:
    name, hint = str(named.value), None
    if profile is not None:
        text = f"profile {name} is for driver {profile.config.driver}"
    elif name in profiles.names():
        text = f"profile {name} has mistakes of its own"
    else:
        text = f"there is no profile {quoted(name)}"
        hint = did_you_mean(name, profiles.names()) or "own ones stand in the folder `profiles` beside gateway.yaml"
    return document.problem(named.place, text, hint, Code.PROFILE)


class _Merge:
    """One device and its profile."""

    def __init__(self, document: Document, device: Node, profile: Profile) -> None:
        self._document = document
        self._device = device
        self._profile = profile
        self._parameters: dict[str, Any] = {name: one.default for name, one in profile.config.parameters.items()}

    def done(self) -> None:
        """Take the parameters and picks of the device, then what the profile says beyond the device's own words."""
        self._take_parameters()
        picked = self._profile.picked(self._picks())
        own = self._device.children.get("tags")
        if own is not None and not isinstance(own.value, dict):
            return
        source = self._profile.document.root
        assert source is not None
        self._fill(self._device, source.children.get("device"))
        tags = source.children["tags"].children
        wanted = [*picked, *(name for name in (own.children if own else ()) if name in tags and name not in picked)]
        group = Node({}, *self._places(own))
        for name in wanted:
            _put(group, name, self._filled(own.children.get(name) if own else None, tags[name]))
        for name, node in own.children.items() if own else ():
            if name not in group.children:
                _put(group, name, node)
        _put(self._device, "tags", group)

    def _take_parameters(self) -> None:
        said = self._device.children.get("parameters")
        for name, node in said.children.items() if said else ():
            if name not in self._parameters:
                hint = did_you_mean(str(name), self._parameters) or ", ".join(self._parameters) or None
                text = f"profile {self._profile.name} has no parameter {quoted(name)}"
                self._document.problems.append(self._document.problem(node.key_place, text, hint, Code.PROFILE))
            else:
                self._parameters[str(name)] = node.value

    def _picks(self) -> list[str]:
        said = self._device.children.get("pick")
        nodes = list(said.children.values()) if said else []
        for node in nodes:
            if isinstance(node.value, str) and node.value not in self._profile.words():
                hint = did_you_mean(node.value, self._profile.words())
                text = f"profile {self._profile.name} has no tag or group {quoted(node.value)}"
                self._document.problems.append(self._document.problem(node.place, text, hint, Code.PROFILE))
                self._device.refused = True
        return [str(node.value) for node in nodes]

    def _places(self, own: Node | None) -> tuple[Place, Place]:
        node = own or self._device.children["profile"]
        return node.place, node.key_place

    def _filled(self, own: Node | None, from_profile: Node) -> Node:
        """A tag of the profile with the device's own words over it."""
        if own is not None and not isinstance(own.value, dict):
            return own
        tag = Node({}, *((own.place, own.key_place) if own else _elsewhere(from_profile, self._profile)))
        for key, node in own.children.items() if own else ():
            _put(tag, key, node)
        self._fill(tag, from_profile)
        return tag

    def _fill(self, target: Node, source: Node | None) -> None:
        """The keys that the target does not say itself."""
        for key, node in source.children.items() if source else ():
            if key not in target.children:
                _put(target, key, self._copy(node))

    def _copy(self, node: Node) -> Node:
        copy = Node(self._value(node.value), *_elsewhere(node, self._profile))
        if isinstance(node.value, list):
            copy.children = {step: self._copy(child) for step, child in node.children.items()}
            copy.value = [child.value for child in copy.children.values()]
        elif isinstance(node.value, dict):
            copy.value = {}
            for step, child in node.children.items():
                _put(copy, step, self._copy(child))
        return copy

    def _value(self, value: object) -> object:
        told = _PARAMETER.fullmatch(value) if isinstance(value, str) else None
        if told is None:
            return value
        parameter = self._parameters[told["name"]]
        return parameter * float(told["times"]) if told["times"] and isinstance(parameter, int | float) else parameter


def _elsewhere(node: Node, profile: Profile) -> tuple[Place, Place]:
    """The places of a node in its profile's file."""
    file = profile.document.file
    return node.place._replace(file=file), node.key_place._replace(file=file)


def _put(parent: Node, step: Step, child: Node) -> None:
    assert isinstance(parent.value, dict)
    parent.children[step] = child
    parent.value[step] = child.value
