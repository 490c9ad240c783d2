"""A decision is corrected or rescinded by two persons, for a reason; both wordings stay, and only what can be undone is undone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.integration.foundation.workflow.amending import Amending, amending
from tests.integration.foundation.workflow.conftest import SUBJECT_TYPE
from tests.integration.foundation.workflow.notices import DAY_AFTER, announced

from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import Decision, DecisionCorrection
from tanpuhui.foundation.workflow.operations import (
    NOTHING_TO_UNDO,
    Amendment,
    CannotRescind,
    CaseAlreadyOpen,
    Instead,
    NotCaseMember,
    NotYourDecision,
    OpinionMissing,
    SamePerson,
    ValueMissing,
    correct_decision,
    install_undo,
    rescind_decision,
)

__all__ = ["amending"]
pytestmark = pytest.mark.django_db


def test_a_corrected_wording_stands_beside_the_first_with_its_reason(amending: Amending) -> None:
    case_id = amending.verified()
    proposed = amending.propose(
        case_id, 2, Amendment.CORRECTION, reason="笔误：应为 186 吨", wording="核查 186 吨，同意"
    )
    assert queries.case_file(case_id).corrections == ()
    amending.province.decide(proposed, "confirm_correction", Role.CHECKER)
    (found,) = queries.case_file(case_id).corrections
    assert (found.step, found.version, found.opinion, found.reason) == (
        2,
        2,
        "核查 186 吨，同意",
        "笔误：应为 186 吨",
    )
    assert queries.timeline(case_id)[2].opinion == "同意", "the first wording stays"
    assert queries.case(case_id).state == "verified"
    assert list(queries.breaches()) == []


def test_a_second_correction_is_the_third_version(amending: Amending) -> None:
    case_id = amending.verified()
    for wording in ("甲", "乙"):
        proposed = amending.propose(case_id, 2, Amendment.CORRECTION, wording=wording)
        amending.province.decide(proposed, "confirm_correction", Role.CHECKER)
    assert [(c.version, c.opinion) for c in queries.case_file(case_id).corrections] == [(2, "甲"), (3, "乙")]


def test_a_rescinded_decision_leads_the_case_back_and_its_deadline_begins_anew(amending: Amending) -> None:
    province, case_id = amending.province, amending.verified()
    first_due = queries.case(case_id).deadline_day
    province.at += timedelta(days=4)
    proposed = amending.propose(case_id, 2, Amendment.RESCISSION, reason="核查员未到现场")
    province.decide(proposed, "confirm_rescission", Role.CHECKER)
    view = queries.case(case_id)
    assert (view.state, view.step, view.closed_at) == ("submitted", 3, None)
    assert (first_due, view.deadline_day) == (None, date(2026, 11, 30)), (
        "five working days from the day it came back"
    )
    line = queries.timeline(case_id)[-1]
    assert (line.rescinds, line.opinion, line.label_zh) == (2, "核查员未到现场", "撤销决定")
    assert queries.timeline(case_id)[2].rescinded_by == 3
    assert list(queries.breaches()) == []
    province.decide(case_id, "verify", Role.VERIFIER)
    assert queries.case(case_id).state == "verified"


def test_decisions_are_rescinded_one_after_the_other_from_the_last(amending: Amending) -> None:
    province, case_id = amending.province, amending.verified()
    with pytest.raises(CannotRescind):
        amending.propose(case_id, 1, Amendment.RESCISSION)
    for step in (2, 1):
        proposed = amending.propose(case_id, step, Amendment.RESCISSION)
        province.decide(proposed, "confirm_rescission", Role.CHECKER)
    assert queries.case(case_id).state == "draft"
    assert queries.standing_outcomes(case_id) == ()
    with pytest.raises(CannotRescind):
        amending.propose(case_id, 3, Amendment.RESCISSION)
    assert list(queries.breaches()) == []


def test_a_closed_case_runs_again_unless_another_runs_for_its_subject(amending: Amending) -> None:
    province = amending.province
    case_id = province.open("admission").case_id
    province.decide(case_id, "withdraw", Role.OWNER)
    assert queries.case(case_id).closed_at is not None
    other = province.open("admission").case_id
    with pytest.raises(CannotRescind) as refused:
        amending.propose(case_id, 1, Amendment.RESCISSION)
    assert queries.case(other).number in refused.value.message("zh")
    province.decide(other, "withdraw", Role.OWNER)
    proposed = amending.propose(case_id, 1, Amendment.RESCISSION)
    province.decide(proposed, "confirm_rescission", Role.CHECKER)
    view = queries.case(case_id)
    assert (view.state, view.closed_at) == ("applied", None)
    assert case_id in {
        line.case.case_id for line in queries.inbox(actor=province.actor(Role.MAKER), at=province.at)
    }


def test_the_time_in_which_a_case_was_closed_does_not_count(amending: Amending) -> None:
    province = amending.province
    case_id = province.open("admission").case_id
    assert queries.case(case_id).deadline_day == date(2026, 12, 4)
    province.decide(case_id, "withdraw", Role.OWNER)
    province.at += timedelta(days=14)
    province.decide(amending.propose(case_id, 1, Amendment.RESCISSION), "confirm_rescission", Role.CHECKER)
    assert queries.case(case_id).deadline_day == date(2026, 12, 18), "ten working days after 4 December"


def test_what_an_outcome_did_is_undone_in_the_same_transaction(amending: Amending) -> None:
    case_id = amending.verified()
    undone: list[dict[str, object]] = []
    install_undo({(SUBJECT_TYPE, "verify"): lambda **said: undone.append(said)})
    proposed = amending.propose(case_id, 2, Amendment.RESCISSION)
    assert undone == []
    amending.province.decide(proposed, "confirm_rescission", Role.CHECKER, opinion="同意撤销")
    (said,) = undone
    assert (said["case_id"], said["subject_id"], said["opinion"]) == (case_id, "1", "同意撤销")

    def refuse(**_: object) -> None:
        raise Invalid(field="x", why="y")

    amending.province.decide(case_id, "verify", Role.VERIFIER)
    install_undo({(SUBJECT_TYPE, "verify"): refuse})
    proposed = amending.propose(case_id, 4, Amendment.RESCISSION)
    amending.refused(Invalid, proposed, "confirm_rescission")
    assert queries.case(case_id).state == "verified"


def test_what_cannot_be_undone_is_not_rescinded_and_says_what_to_do_instead(amending: Amending) -> None:
    case_id = amending.verified()
    install_undo({(SUBJECT_TYPE, "verify"): Instead(zh="请在登记簿中冻结", en="freeze it in the registry")})
    with pytest.raises(CannotRescind) as refused:
        amending.propose(case_id, 2, Amendment.RESCISSION)
    assert "请在登记簿中冻结" in refused.value.message("zh")
    install_undo({})
    with pytest.raises(CannotRescind):
        amending.propose(case_id, 2, Amendment.RESCISSION)
    install_undo({(SUBJECT_TYPE, "verify"): NOTHING_TO_UNDO})
    amending.propose(case_id, 2, Amendment.RESCISSION)


def test_a_case_that_moved_on_is_not_led_back_and_the_button_says_why(amending: Amending) -> None:
    case_id = amending.verified()
    proposed = amending.propose(case_id, 2, Amendment.RESCISSION)
    amending.province.decide(case_id, "prepare", Role.MAKER)
    checker = amending.province.actor(Role.CHECKER)
    blocked = {
        found.outcome: found.blocked
        for found in queries.available_outcomes(actor=checker, case_id=proposed, at=amending.province.at)
    }
    assert isinstance(blocked["confirm_rescission"], CannotRescind)
    assert blocked["reject"] is None
    amending.refused(CannotRescind, proposed, "confirm_rescission")
    assert queries.case(case_id).state == "prepared"


def test_a_public_notice_that_a_rescinded_decision_opened_is_closed(amending: Amending) -> None:
    province = amending.province
    notice = announced(province)
    proposed = amending.propose(notice.case_id, 1, Amendment.RESCISSION, reason="材料不齐")
    province.decide(proposed, "confirm_rescission", Role.CHECKER)
    (closed,) = queries.notices_of(notice.case_id, at=province.at)
    assert closed.closed_at is not None
    assert "已撤销" in closed.result
    assert queries.case(notice.case_id).state == "applied"
    assert list(queries.breaches()) == []


def test_a_case_does_not_go_back_into_a_public_notice_that_is_over(amending: Amending) -> None:
    province = amending.province
    notice = announced(province)
    province.at = DAY_AFTER
    province.decide(notice.case_id, "admit", Role.SYSTEM)
    with pytest.raises(CannotRescind) as refused:
        amending.propose(notice.case_id, 2, Amendment.RESCISSION)
    assert "公示" in refused.value.message("zh")


def test_two_persons_stand_behind_it(amending: Amending) -> None:
    province, case_id = amending.province, amending.verified()
    both = Actor(
        kind="user",
        id="77",
        grants=tuple(
            Grant(role=role, organisation_id=province.owner_id, area=province.area)
            for role in (Role.MAKER, Role.CHECKER)
        ),
    )
    proposed = amending.propose(case_id, 2, Amendment.RESCISSION, actor=both)
    with pytest.raises(SamePerson):
        province.decide(proposed, "confirm_rescission", both)
    with pytest.raises(SamePerson):
        province.decide(proposed, "reject", both)
    with pytest.raises(NotYourDecision):
        province.decide(proposed, "confirm_rescission", Role.MAKER)
    assert province.decide(proposed, "reject", Role.CHECKER).state == "rejected"
    assert queries.case(case_id).state == "verified"


def test_a_proposal_has_a_reason_and_a_correction_a_wording(amending: Amending) -> None:
    case_id = amending.verified()
    for kind, reason, wording, expected in (
        (Amendment.RESCISSION, "  ", "", OpinionMissing),
        (Amendment.CORRECTION, "笔误", " ", ValueMissing),
    ):
        amending.refused_proposal(expected, case_id, 2, kind, reason=reason, wording=wording)
    assert Decision.objects.filter(case__process="decision_amendment").count() == 0


def test_one_amendment_at_a_time_by_the_staff_of_the_area(amending: Amending) -> None:
    case_id = amending.verified()
    amending.propose(case_id, 2, Amendment.CORRECTION, wording="甲")
    with pytest.raises(CaseAlreadyOpen):
        amending.propose(case_id, 2, Amendment.RESCISSION)
    elsewhere = Actor(kind="user", id="9", grants=(Grant(role=Role.MAKER, area="880000"),))
    with pytest.raises(NotCaseMember):
        amending.propose(case_id, 1, Amendment.CORRECTION, wording="乙", actor=elsewhere)
    with pytest.raises(NotPermitted):
        amending.propose(
            case_id, 1, Amendment.CORRECTION, wording="乙", actor=amending.province.actor(Role.OWNER)
        )


def test_the_two_cases_know_each_other(amending: Amending) -> None:
    case_id = amending.verified()
    proposed = amending.propose(case_id, 2, Amendment.CORRECTION, wording="甲")
    assert [(r.case_id, r.kind, r.outgoing) for r in queries.case_file(case_id).related] == [
        (proposed, "amends", False)
    ]
    assert [(r.case_id, r.kind, r.outgoing) for r in queries.case_file(proposed).related] == [
        (case_id, "amends", True)
    ]


def test_nobody_amends_past_the_case(amending: Amending) -> None:
    """The operations are effects: called by hand they refuse."""
    case_id = amending.verified()
    decision = Decision.objects.get(case_id=case_id, step=2)
    proposed = amending.propose(case_id, 2, Amendment.CORRECTION, wording="甲")
    said = {
        "actor": amending.province.actor(Role.CHECKER),
        "at": amending.province.at,
        "case_id": proposed,
        "subject_id": str(decision.pk),
        "opinion": "同意",
    }
    for effect in (correct_decision, rescind_decision):
        with pytest.raises(NotPermitted):
            effect(**said)  # type: ignore[arg-type]
    assert DecisionCorrection.objects.count() == 0
    with pytest.raises(NotFound):
        amending.propose_decision(10**9, Amendment.CORRECTION, wording="甲")
