"""Plans on disk: each once, the same object whenever it is read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.model import Plan, Tag
from gateway.outbox import plans as plans_module
from gateway.outbox.plans import Plans
from gateway.testing import sample_plan

RICH = Plan(
    "meter",
    (
        Tag(
            "voltage",
            "input:0",
            "float32",
            (("order", "CDAB"), ("ratio", "5")),
            "V",
            "L1",
            0.1,
            2.0,
            (0, 300),
            0.5,
            2.0,
        ),
    ),
    7.5,
)


def read_back(plan: Plan, known: Plans | None = None) -> Plan:
    """A plan as another process reads it."""
    segment: dict[bytes, Plan] = {}
    (known or Plans()).read(Plans().payload_of(plan), segment)
    [found] = segment.values()
    return found


@pytest.mark.parametrize("plan", [sample_plan(), RICH, Plan("empty", ())])
def test_a_plan_comes_back_as_it_was(plan: Plan) -> None:
    """Tags with all that they say, heartbeat, id."""
    assert read_back(plan) == plan


def test_the_id_is_the_one_that_went_out_before() -> None:
    """Whatever a later release hashes, an auditor finds the plan that was told in `meta`."""
    plan = sample_plan()
    object.__setattr__(plan, "id", "0ld1d000")
    assert read_back(plan).id == "0ld1d000"


def test_one_plan_is_one_object() -> None:
    """Read twice, from two segments, it is the same: what is prepared for it is prepared once."""
    known = Plans()
    assert read_back(sample_plan(), known) is read_back(sample_plan(), known)


def test_a_plan_of_the_running_gateway_is_taken_for_its_history() -> None:
    """What was written in this run comes back with the very plan that it was made with."""
    known, plan = Plans(), sample_plan()
    known.key_of(plan)
    assert read_back(plan, known) is plan


def test_plans_that_differ_in_anything_have_different_keys() -> None:
    """A deadband does not make the number, so the id is the same, but the plan is another."""
    plan = sample_plan()
    other = Plan(plan.device, (replace(plan.tags[0], deadband=0.5), *plan.tags[1:]))
    assert plan.id == other.id
    assert Plans().key_of(plan) != Plans().key_of(other)
    assert Plans().key_of(plan) == Plans().key_of(sample_plan())


def test_a_record_that_holds_no_plan_is_passed_over() -> None:
    """Its batches are looked for elsewhere, or counted."""
    segment: dict[bytes, Plan] = {}
    Plans().read(b"no plan", segment)
    Plans().read(Plans()._compress(b"\xa3abc"), segment)
    assert segment == {}


def test_a_plan_is_found_by_key_before_name() -> None:
    """Two plans of one device and id: the key tells which one it was."""
    plan = sample_plan()
    other = Plan(plan.device, (replace(plan.tags[0], description="later"), *plan.tags[1:]))
    known = Plans()
    key = known.key_of(plan)
    known.key_of(other)
    assert known.find(key, plan.device, plan.id) is plan
    assert known.find(b"unknown.", plan.device, plan.id) is other
    assert known.find(b"unknown.", "other", plan.id) is None


def test_the_number_of_plans_that_are_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand reloads leave no trace; a plan that was forgotten is learned again."""
    monkeypatch.setattr(plans_module, "_MOST_KNOWN", 10)
    known = Plans()
    many = [sample_plan(f"device{at}") for at in range(50)]
    keys = [known.key_of(plan) for plan in many]
    assert [len(one) for one in (known._by_identity, known._by_key, known._by_name)] == [10, 10, 10]
    assert known.find(keys[0], "device0", many[0].id) is None
    assert known.key_of(many[0]) == keys[0]
    assert known.find(keys[0], "device0", many[0].id) is many[0]
