"""Finding the place of a key or value in a document."""

from __future__ import annotations

from gateway.config.document import TOP, Place
from gateway.config.yaml_positions import compose

TEXT = """\
version: 1
devices:
  press-12:
    period_s: 1
    tags:
      level: {address: analog, range: [0, 90]}
"""


def test_place_of_key_and_of_value() -> None:
    """Both are found by the keys that lead down to them."""
    document = compose(TEXT, "a.yaml")
    assert document.key_place(("devices", "press-12", "period_s")) == Place(4, 5)
    assert document.value_place(("devices", "press-12", "period_s")) == Place(4, 15)
    assert document.value_place(("devices", "press-12", "tags", "level", "range", 1)) == Place(6, 43)


def test_value_that_begins_on_a_later_line_is_found_at_its_key() -> None:
    """A group of keys is pointed at where its name stands, not at its first entry."""
    document = compose(TEXT, "a.yaml")
    assert document.value_place(("devices", "press-12")) == Place(3, 3)


def test_steps_that_lead_nowhere_are_passed_over() -> None:
    """The deepest place that exists is the best that can be said."""
    document = compose(TEXT, "a.yaml")
    assert document.key_place(("devices", "press-12", "unit_id")) == Place(3, 3)
    assert document.key_place(("devices", "SimDevice", "press-12", "period_s")) == Place(4, 5)
    assert document.value_place(("nothing",)) == TOP
    assert document.node(("devices", "nothing")).value == document.node(("devices",)).value


def test_document_without_root_has_no_places() -> None:
    """A text that is no YAML is told at the top where nothing better is known."""
    document = compose("- 1", "a.yaml")
    assert document.root is None
    assert document.key_place(("version",)) == TOP
