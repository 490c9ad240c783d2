"""The pool, the draw with its recusals, and a conflict that comes out later."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from tests.integration.foundation.workflow.corruption import corrupt
from tests.integration.science.methodology.committee import HUANGHAI, Committee, uscc
from tests.integration.science.methodology.conftest import files

from tanpuhui.foundation.identity.operations import grant_role
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology import queries
from tanpuhui.science.methodology.models import PanelSeat
from tanpuhui.science.methodology.operations import (
    ExclusionNeedsAnother,
    ExpertNotInTerm,
    NotSeated,
    PanelTermUnset,
    TooFewExperts,
    _draw_panel,
    declare_expert_interest,
    draw_panel,
    end_expert_term,
    exclude_expert,
    import_version,
    install_interest_sources,
    propose_exclusion,
    propose_expert,
    tell_called_expert,
    withdraw_expert_interest,
)


def recusals(committee: Committee) -> dict[int, str]:
    return {one.expert_number: one.recusal for one in committee.panel.candidates}


def test_an_expert_sits_in_the_pool_from_the_decision_to_the_end_of_the_term(committee: Committee) -> None:
    day = committee.at.date()
    pool = queries.expert_pool(day=day)
    assert [one.expert_number for one in pool] == sorted(committee.experts)
    assert pool[0].fields == ("living",)
    assert queries.expert_pool(day=day, fields=("sinks",)) == ()
    end_expert_term(
        actor=committee.regulator, at=committee.at, term_id=pool[0].term_id, reason="本人请辞", idempotency_key="end"
    )  # fmt: skip
    assert pool[0].expert_number not in {one.expert_number for one in queries.expert_pool(day=day)}
    with pytest.raises(ExpertNotInTerm):
        end_expert_term(
            actor=committee.regulator, at=committee.at, term_id=pool[0].term_id, reason="再次", idempotency_key="twice"
        )  # fmt: skip


def test_a_proposed_expert_is_not_in_the_pool_and_a_second_term_does_not_overlap(
    committee: Committee,
) -> None:
    given = {
        "actor": committee.maker,
        "at": committee.at,
        "user_id": int(committee.experts[min(committee.experts)].id),
        "organisation_id": committee.body_id,
        "employer_name": "单位",
        "employer_uscc": uscc(11),
        "title": "教授",
        "fields": ("living",),
        "term_from": committee.at.date(),
        "term_to": committee.at.date() + timedelta(days=30),
        "idempotency_key": "again",
    }
    with pytest.raises(Invalid, match="term_from"):
        propose_expert(**given)
    for name, value in (("fields", ("astrology",)), ("employer_uscc", "1" * 18), ("title", " ")):
        with pytest.raises(Invalid, match=name):
            propose_expert(**{**given, name: value})
    with pytest.raises(Invalid, match="user_id"):
        propose_expert(**{**given, "user_id": int(committee.owner.id)})
    newcomer = committee.person("newcomer", Role.EXPERT, committee.body_id)
    propose_expert(**{**given, "user_id": int(newcomer.id)})
    assert len(queries.expert_pool(day=committee.at.date())) == len(committee.experts)


def test_the_draw_can_be_repeated_by_anybody(committee: Committee) -> None:
    panel = committee.draw()
    seed = hashlib.sha256(f"{panel.log_root}|{panel.case_number}".encode()).hexdigest()
    order = sorted(
        committee.experts, key=lambda number: hashlib.sha256(f"{seed}|{number}".encode()).hexdigest()
    )
    assert panel.seed == seed
    assert [one.expert_number for one in panel.candidates] == order
    assert [seat.expert_number for seat in panel.seats] == order[:3]
    assert panel.case_number == workflow.case(committee.case_id).number
    assert list(queries.breaches()) == []


def test_a_panel_that_was_not_drawn_so_is_found(committee: Committee) -> None:
    panel = committee.draw()
    number = f"where panel_id = {panel.panel_id} and place = 1"
    corrupt(f"update methodology_reviewpanel set log_root = repeat('0', 64) where id = {panel.panel_id}")
    assert [breach.invariant for breach in queries.breaches()] == ["methodology.panel_was_drawn"]
    corrupt(f"update methodology_reviewpanel set log_root = '{panel.log_root}' where id = {panel.panel_id}")
    corrupt(f"update methodology_panelcandidate set recusal = 'member' {number}")
    assert [breach.invariant for breach in queries.breaches()] == ["methodology.seats_follow_the_draw"]


def test_who_is_called_is_told_once_and_who_has_declared_is_not(committee: Committee) -> None:
    load_templates(actor=SYSTEM, at=committee.at, folder=HUANGHAI)
    panel = committee.draw()
    first, second = (seat.expert_number for seat in panel.seats[:2])
    committee.declare(second)

    def told(number: int) -> int:
        return tell_called_expert(
            actor=SYSTEM, at=committee.at, panel_id=panel.panel_id, expert_number=number
        ).told

    assert [told(first), told(first), told(second)] == [1, 0, 0]


def test_who_has_an_interest_is_recused_with_the_reason(committee: Committee) -> None:
    numbers = sorted(committee.experts)
    employed = committee.appoint("employed", employer=1)
    running = committee.appoint("running", employer=3)
    member, declared, author = numbers[0], numbers[1], numbers[2]
    grant_role(
        actor=SYSTEM, at=committee.at, user_id=int(committee.experts[member].id),
        organisation_id=committee.owner_id, role=Role.OWNER, area="990000",
    )  # fmt: skip
    declare_expert_interest(
        actor=committee.experts[declared], at=committee.at, kind="methodology", reference="T01", idempotency_key="declare"
    )  # fmt: skip
    import_version(actor=committee.experts[author], at=committee.at, files=files())
    committee.draw()
    assert {number: reason for number, reason in recusals(committee).items() if reason} == {
        employed: "employer",
        running: "project",
        member: "member",
        declared: "declared",
        author: "author",
    }
    assert not {employed, running, member, declared, author} & {
        seat.expert_number for seat in committee.panel.seats
    }
    detail = {one.expert_number: one.recusal_detail for one in committee.panel.candidates}
    assert detail[running] == "project P3"


def test_an_interest_that_was_withdrawn_does_not_recuse_and_stays_on_record(committee: Committee) -> None:
    number = min(committee.experts)
    actor = committee.experts[number]
    done = declare_expert_interest(
        actor=actor, at=committee.at, kind="methodology", reference="T01", idempotency_key="declare"
    )
    withdraw_expert_interest(
        actor=actor, at=committee.at, interest_id=done.interest_id, idempotency_key="withdraw"
    )
    committee.draw()
    assert recusals(committee)[number] == ""
    other = committee.experts[max(committee.experts)]
    with pytest.raises(NotFound):
        withdraw_expert_interest(
            actor=other, at=committee.at, interest_id=done.interest_id, idempotency_key="not mine"
        )


def test_too_few_experts_are_no_panel_and_nobody_is_asked_silently(committee: Committee) -> None:
    with pytest.raises(TooFewExperts) as refused:
        committee.draw(fields=("sinks",))
    assert refused.value.data["left"] == 0
    install_interest_sources(())
    with pytest.raises(LookupError, match="wiring"):
        committee.draw()


def test_what_no_rule_sets_is_said_by_a_person_with_the_reason(
    committee: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_draw_panel.TERMS, "seats", "methodology.not_set_anywhere")
    with pytest.raises(PanelTermUnset):
        committee.draw()
    with pytest.raises(PanelTermUnset):
        committee.draw(seats=4)
    panel = committee.draw(seats=4, reason="领域交叉，多请一名")
    assert (len(panel.seats), panel.terms_basis["seats"]) == (4, "领域交叉，多请一名")
    assert "methodology.panel_quorum" in panel.terms_basis["quorum"]


def test_a_rule_is_not_overruled_at_the_draw(committee: Committee) -> None:
    with pytest.raises(Invalid, match="seats"):
        committee.draw(seats=5, reason="想多请两名")
    committee.maker = committee.owner
    with pytest.raises(NotPermitted):
        committee.draw()


def test_a_panel_is_drawn_once(committee: Committee) -> None:
    committee.draw()
    with pytest.raises(Invalid, match="case"):
        draw_panel(
            actor=committee.maker, at=committee.at, case_id=committee.case_id, fields=("living",), idempotency_key="2"
        )  # fmt: skip


def test_who_declares_an_interest_gives_the_seat_to_the_next_in_order(committee: Committee) -> None:
    panel = committee.draw()
    order = [one.expert_number for one in panel.candidates]
    committee.declare(order[0])
    committee.declare(order[1], free=False)
    seats = committee.panel.seats
    assert [(seat.expert_number, seat.state) for seat in seats] == [
        (order[0], "declared"),
        (order[1], "recused"),
        (order[2], "seated"),
        (order[3], "seated"),
    ]
    assert seats[1].left_reason == "本人参股申请单位"
    with pytest.raises(NotSeated):
        committee.declare(order[5])
    with pytest.raises(DatabaseError, match="never takes it again"), transaction.atomic():
        PanelSeat.objects.filter(pk=seats[1].seat_id).update(state="declared", left_at=None)


def test_the_next_in_order_is_passed_over_if_an_interest_came_up_since(committee: Committee) -> None:
    panel = committee.draw()
    order = [one.expert_number for one in panel.candidates]
    declare_expert_interest(
        actor=committee.experts[order[3]], at=committee.at, kind="organisation", reference=uscc(1), idempotency_key="since"
    )  # fmt: skip
    committee.declare(order[0], free=False)
    assert [(seat.expert_number, seat.state) for seat in committee.panel.seats[3:]] == [
        (order[3], "passed_over"),
        (order[4], "seated"),
    ]
    assert list(queries.breaches()) == []


def exclude(committee: Committee, number: int) -> bool:
    panel_id = committee.panel.panel_id
    proposed = propose_exclusion(
        actor=committee.maker, at=committee.at, panel_id=panel_id, expert_number=number,
        reason="任申请单位顾问，未申报", idempotency_key="propose exclusion",
    )  # fmt: skip
    return exclude_expert(
        actor=committee.checker, at=committee.at, exclusion_id=proposed.exclusion_id, idempotency_key="exclude"
    ).reconvened  # fmt: skip


def test_a_hidden_conflict_voids_the_opinion_and_the_meeting_and_brings_the_case_back(
    committee: Committee,
) -> None:
    panel = committee.draw()
    order = [one.expert_number for one in panel.candidates]
    committee.conclude()
    committee.decide(committee.case_id, "conclude", committee.maker)
    assert workflow.case(committee.case_id).state == "notice"
    assert exclude(committee, order[1])
    assert workflow.case(committee.case_id).state == "committee"
    assert queries.version(committee.version_id).state == "proposed"
    (void,) = queries.meetings(panel.panel_id)
    assert void.voided_at is not None
    assert queries.signed_meeting(panel.panel_id, version_id=committee.version_id) is None
    states = {seat.expert_number: seat.state for seat in committee.panel.seats}
    assert states == {order[0]: "declared", order[1]: "excluded", order[2]: "declared", order[3]: "seated"}
    committee.declare(order[3])
    committee.review(order[3])
    committee.sign(committee.meet())
    committee.decide(committee.case_id, "conclude", committee.maker)
    assert workflow.case(committee.case_id).state == "notice"


def test_an_exclusion_before_the_conclusion_leaves_the_case_where_it_is(committee: Committee) -> None:
    panel = committee.draw()
    committee.declare_all()
    assert not exclude(committee, panel.seats[0].expert_number)
    assert workflow.case(committee.case_id).state == "committee"
    with pytest.raises(NotSeated):
        committee.review(panel.seats[0].expert_number)


def test_an_exclusion_takes_two_persons(committee: Committee) -> None:
    panel = committee.draw()
    given = {"at": committee.at, "panel_id": panel.panel_id, "reason": "x"}
    number = panel.seats[0].expert_number
    proposed = propose_exclusion(
        actor=committee.regulator, expert_number=number, idempotency_key="1", **given
    )
    with pytest.raises(ExclusionNeedsAnother):
        exclude_expert(
            actor=committee.regulator, at=committee.at, exclusion_id=proposed.exclusion_id, idempotency_key="1"
        )  # fmt: skip
    with pytest.raises(NotPermitted):
        exclude_expert(
            actor=committee.owner, at=committee.at, exclusion_id=proposed.exclusion_id, idempotency_key="2"
        )
