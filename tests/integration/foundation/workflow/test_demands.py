"""What a process demands of a decision beside role and opinion: values, attachments, checks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.integration.foundation.workflow.conftest import SUBJECT_TYPE, Province

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.operations import (
    EvidenceMissing,
    ValueMissing,
    ValueWrong,
    install_guards,
)

pytestmark = pytest.mark.django_db

GOOD = {"transition_until": "2027-01-31", "batches_a_day": "3"}


def applied(province: Province) -> int:
    """Return a case with everything that its first step demands."""
    case_id = province.open("admission").case_id
    for kind in ("sample_report", "minutes"):
        province.attach(case_id, kind)
    return case_id


def assessed(province: Province) -> int:
    case_id = applied(province)
    province.decide(case_id, "accept", Role.MAKER)
    return case_id


def test_the_values_entered_are_kept_and_read_by_the_effect(province: Province) -> None:
    case_id = assessed(province)
    province.decide(case_id, "admit", Role.CHECKER, values=GOOD | {"condition": " 每周报送 "})
    decided = queries.latest_decision(case_id)
    assert decided is not None
    assert decided.values == GOOD | {"condition": "每周报送"}
    assert queries.timeline(case_id)[-1].values == decided.values


def test_a_value_that_may_stay_empty_is_not_kept_empty(province: Province) -> None:
    case_id = assessed(province)
    province.decide(case_id, "admit", Role.CHECKER, values=GOOD | {"condition": ""})
    decided = queries.latest_decision(case_id)
    assert decided is not None
    assert decided.values == GOOD


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_required_value_that_is_missing_is_named(province: Province, missing: str) -> None:
    case_id = assessed(province)
    with pytest.raises(ValueMissing) as refused:
        province.decide(case_id, "admit", Role.CHECKER, values=GOOD | {missing: "  "})
    assert refused.value.data["names"] == [missing]
    assert queries.case(case_id).state == "assessed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"transition_until": "31.1.2027"},
        {"transition_until": "2027-02-30"},
        {"transition_until": "20270131"},
        {"transition_until": "2027-W04-7"},
        {"batches_a_day": "3.5"},
        {"batches_a_day": "-3"},
        {"batches_a_day": "三"},
        {"batches_a_day": "1234567890"},
        {"condition": "x" * 2001},
        {"never_asked": "1"},
    ],
)
def test_a_value_that_is_not_of_its_kind_or_not_asked_for_is_refused(
    province: Province, wrong: Mapping[str, str]
) -> None:
    case_id = assessed(province)
    with pytest.raises(ValueWrong):
        province.decide(case_id, "admit", Role.CHECKER, values=GOOD | wrong)
    assert queries.case(case_id).state == "assessed"


def test_a_button_says_what_will_be_asked(province: Province) -> None:
    case_id = assessed(province)
    (found,) = queries.available_outcomes(actor=province.actor(Role.CHECKER), case_id=case_id, at=province.at)
    assert [(ask.name, ask.kind, ask.required) for ask in found.asks] == [
        ("transition_until", "day", True),
        ("batches_a_day", "number", True),
        ("condition", "text", False),
    ]


def test_missing_attachments_are_named_and_the_button_says_so(province: Province) -> None:
    case_id = province.open("admission").case_id
    province.attach(case_id, "minutes")
    with pytest.raises(EvidenceMissing) as refused:
        province.decide(case_id, "accept", Role.MAKER)
    assert refused.value.data["missing"] == ["sample_report"]
    blocked = {
        found.outcome: found.blocked
        for found in queries.available_outcomes(
            actor=province.actor(Role.MAKER), case_id=case_id, at=province.at
        )
    }
    assert isinstance(blocked["accept"], EvidenceMissing)
    assert blocked["return"] is None, "what it does not concern stays open"
    province.attach(case_id, "sample_report")
    assert province.decide(case_id, "accept", Role.MAKER).state == "assessed"


def test_a_guard_that_refuses_blocks_the_decision_and_the_button_says_why(province: Province) -> None:
    case_id = applied(province)
    asked: list[dict[str, object]] = []

    def refuse(**arguments: object) -> None:
        asked.append(arguments)
        raise Invalid(field="sample", why="样本没有通过 / the sample failed")

    install_guards({(SUBJECT_TYPE, "sample_passed"): refuse})
    with pytest.raises(Invalid, match="sample"):
        province.decide(case_id, "accept", Role.MAKER)
    assert asked == [{"at": province.at, "case_id": case_id, "subject_id": "1"}]
    assert queries.case(case_id).step == 0
    found = queries.available_outcomes(actor=province.actor(Role.MAKER), case_id=case_id, at=province.at)
    (accept,) = [one for one in found if one.outcome == "accept"]
    assert isinstance(accept.blocked, Invalid)
    assert "样本没有通过" in accept.blocked.message("zh")


def test_a_guard_that_nobody_installed_never_passes(province: Province) -> None:
    case_id = applied(province)
    install_guards({("another_subject", "sample_passed"): lambda **_: None})
    with pytest.raises(LookupError, match="sample_passed"):
        province.decide(case_id, "accept", Role.MAKER)
    with pytest.raises(LookupError, match="sample_passed"):
        queries.available_outcomes(actor=province.actor(Role.MAKER), case_id=case_id, at=province.at)
