"""What holds for `publish` in gateway.yaml beyond the models: templates, each mistake at its line, and odd couples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.document import Place
from gateway.config.problems import Problem, Severity
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.document import Document
    from gateway.config.schema import GatewayConfig, Publish


def publish_problems(config: GatewayConfig, document: Document) -> Iterator[Problem]:
    """What is wrong with how values are published."""
    yield from _template_problems(config.publish, document)
    if config.publish.retain and config.broker.protocol == "3.1.1":
        text = "over MQTT 3.1.1 the broker keeps retained values for ever, also those of tags that are gone"
        place = document.key_place(("publish", "retain"))
        hint = 'leave out protocol: "3.1.1" if the broker can'
        yield document.problem(place, text, hint, Code.DOUBTFUL_SETTING, severity=Severity.WARNING)


def _template_problems(publish: Publish, document: Document) -> Iterator[Problem]:
    """Jinja is loaded only where there are templates."""
    if publish.template is None:
        return
    from gateway.config.templates import TEMPLATE_NAMES, Template, TemplateError  # noqa: PLC0415 - see above

    for key in ("topic", "payload"):
        source: str = getattr(publish.template, key)
        try:
            Template(source, TEMPLATE_NAMES[publish.template.each])
        except TemplateError as error:
            place = _place(document, key, source, error.line)
            yield document.problem(place, f"{key} is no good template: {error}")


def _place(document: Document, key: str, source: str, line: int) -> Place:
    """Where a line of a template stands: a text of several lines begins below its key."""
    steps = ("publish", "template", key)
    if "\n" not in source.rstrip("\n"):
        return document.value_place(steps)
    return Place(document.key_place(steps).line + line, 1)
