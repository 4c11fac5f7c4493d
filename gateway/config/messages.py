"""From a document to a model, and from the errors of pydantic to problems: each at its place, each told once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.config.models import KEY
from gateway.config.problems import Problem, nearest
from gateway.config.wording import Finding, Steps, Words, words_for, wrong_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.config.document import Document, Place

Model = TypeVar("Model", bound=BaseModel)


def fit(model: type[Model], document: Document) -> tuple[Model | None, list[Problem]]:
    """The document as a model, or None and what keeps it from being one."""
    try:
        return model.model_validate(document.root.value if document.root else {}), []
    except ValidationError as error:
        return None, problems_of(error, model, document)


def problems_of(error: ValidationError, model: type[BaseModel], document: Document) -> list[Problem]:
    """The problems that pydantic found in a document, those left out that are told already."""
    news = [finding for finding in _findings(error, model, document) if _is_news(finding, document)]
    findings = _without_typing_mistakes(_without_other_members(_without_misnamed(news)))
    problems = [document.problem(_place(group[0], document), *_words(group)) for group in _by_place(findings)]
    told = {(problem.file, problem.line, problem.column) for problem in document.problems}
    return [problem for problem in problems if (problem.file, problem.line, problem.column) not in told]


def _findings(error: ValidationError, model: type[BaseModel], document: Document) -> Iterator[Finding]:
    for details in error.errors(include_url=False):
        steps = details["loc"]
        path = tuple(step for step, _ in document.walk(steps))
        yield Finding(details["type"], model, steps, path, details["input"], details["msg"], details.get("ctx", {}))


def _is_news(finding: Finding, document: Document) -> bool:
    """Whether nothing was told yet of the value or of what it stands in."""
    inside = finding.path[:-1] if finding.kind == "extra_forbidden" else finding.path
    if any(node.refused for _, node in document.walk(inside)):
        return False
    return not (finding.is_about_absent_key and document.node(finding.path).doubtful)


def _without_misnamed(findings: Sequence[Finding]) -> list[Finding]:
    """The findings without those inside something whose name is wrong: it may be no device or tag at all."""
    misnamed = {finding.path for finding in findings if KEY in finding.steps}
    return [f for f in findings if KEY in f.steps or misnamed.isdisjoint((*_above(f.path), f.path))]


def _without_other_members(findings: Sequence[Finding]) -> list[Finding]:
    """The findings without the members of a union that are of another type, where one member got further."""
    reached = {above for finding in findings for above in _above(finding.path)}
    reached |= {finding.path for finding in findings if not finding.wants_type}
    return [finding for finding in findings if not (finding.wants_type and finding.path in reached)]


def _above(path: Steps) -> list[Steps]:
    return [path[:length] for length in range(len(path))]


def _without_typing_mistakes(findings: Sequence[Finding]) -> list[Finding]:
    """The findings without the absent keys that an unknown key beside them was meant to be."""
    absent: dict[Steps, list[str]] = {}
    for finding in findings:
        if finding.is_about_absent_key:
            absent.setdefault(finding.steps[:-1], []).append(str(finding.steps[-1]))
    unknown = [finding.steps for finding in findings if finding.kind == "extra_forbidden"]
    meant = {(*steps[:-1], nearest(str(steps[-1]), absent.get(steps[:-1], ()))) for steps in unknown}
    return [finding for finding in findings if not (finding.is_about_absent_key and finding.steps in meant)]


def _by_place(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings that one message tells: the members of a union that all refused the same value."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        one_message = finding.wants_type or finding.kind == "literal_error"
        groups.setdefault((finding.path, None if one_message else finding.steps), []).append(finding)
    return list(groups.values())


def _words(group: Sequence[Finding]) -> Words:
    other = next((finding for finding in group if not finding.wants_type), None)
    return words_for(other) if other else wrong_type(group)


def _place(finding: Finding, document: Document) -> Place:
    if finding.kind in {"extra_forbidden", "missing"} or KEY in finding.steps:
        return document.key_place(finding.path)
    if isinstance(finding.value, list):
        return document.node(finding.path).place
    return document.value_place(finding.path)
