"""What a template of a user can do, and what it cannot."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.templates import MOST_CHARACTERS, TEMPLATE_NAMES, Template, TemplateError

NAMES = TEMPLATE_NAMES["batch"]
VARIABLES = {
    "device": "press-12",
    "seq": 7,
    "part": None,
    "history": False,
    "time": "2026-11-24T10:15:00.250Z",
    "values": {"speed": 1480.5, "running": True, "items": 3, "program": 'say "hi"'},
    "quality": {"speed": "good", "running": "good", "items": "good", "program": "good"},
    "units": {"speed": "r/min"},
}


def rendered(source: str) -> str:
    return Template(source, NAMES).render(VARIABLES)


def refusal(source: str) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        rendered(source)
    return caught.value


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plant/{{ device }}", "plant/press-12"),
        ("{{ values.speed | round(0) | int }}", "1480"),
        ("{{ values.speed | fixed(2) }}", "1480.50"),
        ("{{ values | tojson }}", '{"speed":1480.5,"running":true,"items":3,"program":"say \\"hi\\""}'),
        ("{{ values['program'] | tojson }}", '"say \\"hi\\""'),
        ("{{ values.items }}", "3"),
        ("{% if values.level is defined %}{{ values.level }}{% else %}none{% endif %}", "none"),
        ("{{ values.level | default('-') }}", "-"),
        ("{% for name, unit in units | items %}{{ name }}[{{ unit }}]{% endfor %}", "speed[r/min]"),
        ("{% for name in values %}{{ name }}{{ ',' if not loop.last }}{% endfor %}", "speed,running,items,program"),
        ("{{ values.speed * 2 + 1 }}", "2962.0"),
        ("{{ device | upper | replace('-', '_') }}", "PRESS_12"),
        ("{{ ['a', 'b'] | join(';') }}", "a;b"),
        ("{% if history %}old{% else %}new{% endif %}", "new"),
        ("{# a remark #}x", "x"),
        ("<b>{{ values.program }}</b>", '<b>say "hi"</b>'),
    ],
)
def test_a_template_writes_what_it_says(source: str, text: str) -> None:
    """Values, units, conditions, a loop, filters; names of tags win over anything of Python; nothing is escaped."""
    assert rendered(source) == text


@pytest.mark.parametrize(
    ("source", "words", "line"),
    [
        ("{{ devise }}", "nothing is called 'devise'; known: clock, device", 1),
        ("a\nb {{ devise }}", "nothing is called 'devise'", 2),
        ("{{ values |", "unexpected end of template", 1),
        ("{% if history %}", "end of template", 1),
        ("\n\n{{ values.items() }}", "a call such as name() is not possible; use a filter", 3),
        ("{% set x = 1 %}", "set is not possible", 1),
        ("{% macro m() %}{% endmacro %}", "a macro is not possible", 1),
        ("{% include '/etc/passwd' %}", "include is not possible", 1),
        ("{% extends 'x' %}", "extends is not possible", 1),
        ("{{ seq ** 2 }}", "** is not possible", 1),
        ("{% for a in values %}{% for b in values %}x{% endfor %}{% endfor %}", "a loop cannot stand in another", 1),
        ("{% for a in values recursive %}{{ loop(a) }}{% endfor %}", "recursive", 1),
        ("{{ device | center(9) }}", "No filter named 'center'", 1),
        ("{{ seq is divisibleby 3 }}", "No test named 'divisibleby'", 1),
        ("{{ " + "(" * 200 + "seq" + ")" * 200 + " + 1" * 200 + " }}", "too much is nested", 1),
        ("{{ " + "[" * 3000 + "]" * 3000 + " }}", "too much is nested", 1),
    ],
)
def test_what_no_template_may_is_refused_with_its_line(source: str, words: str, line: int) -> None:
    """At `check`, long before the first value."""
    with pytest.raises(TemplateError) as caught:
        Template(source, NAMES)
    assert words in str(caught.value)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ values.level }}", "has no attribute 'level'"),
        ("{{ values.__class__ }}", "has no attribute '__class__'"),
        ("{{ ''.__class__.__mro__ }}", "has no attribute '__class__'"),
        ("{{ device.format }}", "has no attribute 'format'"),
        ("{{ loop.index }}", "'loop' is undefined"),
        ("{{ seq // 0 }}", "division"),
        ("{{ device * 1000000000 }}", "* is for numbers"),
        ("{{ 'x' * 1000000000 }}", "* is for numbers"),
        ("{{ '%999999999d' % seq }}", "% is for numbers"),
        ("{{ values.program | fixed(2) }}", "format"),
        ("{{ device | replace('', device) | replace('', device * 1) }}", "* is for numbers"),
    ],
)
def test_a_template_that_fails_says_why(source: str, words: str) -> None:
    """An error of its own kind, and never one of Python's."""
    assert words in str(refusal(source))


def test_no_template_writes_without_end() -> None:
    """The output is bounded, and so is what stands between."""
    long = "x" * 15_000
    assert f"more than {MOST_CHARACTERS}" in str(refusal("{% for c in device ~ device %}" + long + "{% endfor %}"))
    begun_s = time.monotonic()
    joined = "{{ device | join('" + "y" * 15_000 + "') | join('" + "z" * 500 + "') }}"
    assert "join makes more than" in str(refusal(joined))
    assert time.monotonic() - begun_s < 5


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("{}%|()[].'\"~+-*/ \nforinifendset=,:123xdevicevalues_#"), max_size=80))
def test_no_text_makes_anything_but_a_template_or_its_error(source: str) -> None:
    """Whatever a technician types."""
    with suppress(TemplateError):
        Template(source, NAMES).render(VARIABLES)


def test_a_gateway_without_templates_does_not_load_jinja() -> None:
    """It costs memory that a Pi has better use for."""
    code = (
        "import sys, gateway.app; from gateway.config.load import load; from pathlib import Path; "
        "load(Path('config')); sys.exit('jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
