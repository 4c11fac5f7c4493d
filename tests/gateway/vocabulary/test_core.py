"""The list of all codes."""

from __future__ import annotations

import re

from gateway.config.errors import all_entries
from gateway.vocabulary import Code
from gateway.vocabulary.core import CORE


def test_every_code_has_one_entry_and_every_entry_a_code_of_its_own() -> None:
    """A code that means two things means nothing."""
    codes = [entry.code for entry in all_entries()]
    assert len(codes) == len(set(codes))
    assert {entry.code for entry in CORE} == set(Code)


def test_codes_have_their_form_and_stand_in_order() -> None:
    """E, a room of two to four letters, three digits; a technician finds one in the list by eye."""
    assert all(re.fullmatch(r"E-[A-Z]{2,4}-[0-9]{3}", entry.code) for entry in all_entries())
    rooms = {code[:5] for code in Code}
    for room in rooms:
        of_room = [entry.code for entry in CORE if entry.code.startswith(room)]
        assert of_room == sorted(of_room)


def test_entries_are_sentences() -> None:
    """A title in a few words, cause and remedy with a full stop."""
    for entry in all_entries():
        assert 0 < len(entry.title) <= 70, entry.code
        assert entry.cause.endswith("."), entry.code
        assert entry.remedy.endswith("."), entry.code
