"""Batches in the user's own form: `encoder: template`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Raw

from gateway.config.templates import TEMPLATE_NAMES, Template, TemplateError
from gateway.model import ABSENT, iso_time
from gateway.publish.columns import PlanColumns
from gateway.publish.message import Message, MessageProperties
from gateway.publish.parts import in_parts
from gateway.publish.ports import CannotEncode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.schema import Template as TemplateConfig
    from gateway.model import Batch
    from gateway.outbox.entry import Entry
    from gateway.publish.contract import Written
    from gateway.publish.parts import Part

_NS_PER_MS: Final = 1_000_000
_LONGEST_TOPIC: Final = 65_535

Variables = dict[str, Any]


class ByTemplate:
    """The batches of one gateway, as two templates say.

    MQTT 5 tells (device, run, seq, part) beside each payload as user properties, so that duplicates can be found
    whatever the payload says.

    Args:
        config: the templates, checked.
        gateway: the gateway's id.
        path: the levels of its location, joined by `/`.
    """

    def __init__(self, config: TemplateConfig, gateway: str, path: str) -> None:
        names = TEMPLATE_NAMES[config.each]
        self._topic = Template(config.topic, names)
        self._payload = Template(config.payload, names)
        self._each_tag = config.each == "tag"
        self._retain = config.retain
        self._content_type = config.content_type
        self._of_gateway = {"gateway": gateway, "path": path}
        self._columns = PlanColumns()

    def encode(self, entry: Entry, batch: Batch, max_bytes: int) -> list[Message]:
        """One message a batch, or the parts of one, or one a value. What renders to nothing is not sent.

        Raises:
            CannotEncode: a template fails for these values.
            NotFinite: a value is NaN or infinite.
        """
        if self._each_tag:
            made = [self._message(entry, variables) for variables in self._of_tags(entry, batch)]
            return [message for message in made if message.payload]
        whole = self._message(entry, self._of_batch(entry, batch))
        if whole.size <= max_bytes:
            return [whole] if whole.payload else []

        def part_of(portion: Batch, part: Part) -> Message:
            return self._message(entry, self._of_batch(entry, portion, part), part)

        return in_parts(batch, whole.size, max_bytes, part_of, lambda message: message.size <= max_bytes)

    def _message(self, entry: Entry, variables: Variables, part: Part | None = None) -> Message:
        topic = _valid(self._rendered("topic", self._topic, variables).strip())
        payload = self._rendered("payload", self._payload, variables).encode()
        name = [("device", entry.device), ("run", entry.run), ("seq", str(entry.seq))]
        if part is not None:
            name.append(("part", f"{part[0]}/{part[1]}"))
        properties = MessageProperties(self._content_type, user=tuple(name))
        return Message(topic, payload, self._retain and not entry.history, properties)

    def _rendered(self, what: str, template: Template, variables: Variables) -> str:
        try:
            return template.render(variables)
        except TemplateError as error:
            text = f"the template of the {what} fails ({error}); look at `publish: template:` in gateway.yaml"
            raise CannotEncode(text) from None

    def _of_batch(self, entry: Entry, batch: Batch, part: Part | None = None) -> Variables:
        columns = self._columns.of(batch.plan)
        rows = [row for row in zip(batch.plan.tags, batch.values, batch.quality, strict=True) if row[1] is not ABSENT]
        return {
            **self._common(entry, batch, batch.stamp.time),
            "part": part and list(part),
            "values": {name: _plain(value) for name, value in columns.values(batch).items()},
            "quality": {tag.name: quality.value for tag, _, quality in rows},
            "units": {tag.name: tag.unit or "" for tag, _, _ in rows},
        }

    def _of_tags(self, entry: Entry, batch: Batch) -> Iterator[Variables]:
        columns = self._columns.of(batch.plan)
        for position, tag in enumerate(batch.plan.tags):
            cell = batch.values[position]
            if cell is ABSENT:
                continue
            offset_ms = 0 if batch.offsets is None else batch.offsets[position]
            yield {
                **self._common(entry, batch, batch.stamp.time + offset_ms * _NS_PER_MS),
                "tag": tag.name,
                "value": _plain(columns.written(position, cell)),
                "quality": batch.quality[position].value,
                "unit": tag.unit or "",
                "description": tag.description,
            }

    def _common(self, entry: Entry, batch: Batch, time: int) -> Variables:
        return {
            **self._of_gateway,
            "device": entry.device,
            "run": entry.run,
            "seq": entry.seq,
            "plan": batch.plan.id,
            "time": iso_time(time),
            "time_ms": time // _NS_PER_MS,
            "time_ns": time,
            "clock": batch.stamp.clock.value,
            "history": entry.history,
        }


def _valid(topic: str) -> str:
    if not topic or len(topic.encode()) > _LONGEST_TOPIC or any(character in topic for character in "+#\0\n"):
        raise CannotEncode(f"the template of the topic makes {topic[:60]!r}, which is no topic to publish to")
    return topic


def _plain(value: Written | None) -> Any:
    """As a template knows it: numbers that bring their own spelling are plain floats again."""
    return float(bytes(value)) if isinstance(value, Raw) else value
