"""derived.yaml from its text to a checked configuration. What is wrong in it harms only the derived tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.config.derived import DerivedConfig
from gateway.config.derived_rules import DerivedRules
from gateway.config.messages import fit
from gateway.config.problems import Severity, coded
from gateway.config.yaml_positions import compose
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from gateway.config.derived_names import Known
    from gateway.config.files import Source
    from gateway.config.problems import Problem


class DerivedOutcome(NamedTuple):
    """What derived.yaml gives."""

    config: DerivedConfig | None
    """None where any of it is wrong."""
    problems: list[Problem]


def check_derived(source: Source, known: Known) -> DerivedOutcome:
    """Check derived.yaml against its models and against the tags that it is made of."""
    document = compose(source.text, source.name)
    config, problems = fit(DerivedConfig, document) if document.root else (None, [])
    problems += document.problems
    if config is not None and not document.problems:
        problems += coded(DerivedRules(config, document, source.text, known).problems(), Code.DERIVED)
    wrong = any(problem.severity is Severity.ERROR for problem in problems)
    return DerivedOutcome(None if wrong else config, problems)
