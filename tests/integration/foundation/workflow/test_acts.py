"""What happens to a case between two decisions: assigned, urged, followed, attached to, remarked on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from tests.integration.foundation.workflow.conftest import Province, organisation

from tanpuhui.foundation.identity.models import Membership
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import Attachment, CaseAct, CaseSubscription, Remark
from tanpuhui.foundation.workflow.operations import (
    AssignedToOther,
    AssigneeUnsuitable,
    CaseActed,
    CaseMoved,
    CaseTaken,
    NotCaseMember,
    RemarkAnswered,
    SamePerson,
    UrgedToday,
    assign_case,
    follow_case,
    remark,
    urge_case,
)

pytestmark = pytest.mark.django_db


def elsewhere(province: Province) -> int:
    """Return an organisation that has no part in any case."""
    return organisation("partner", 7, at=province.at, area=province.area)


def assign(province: Province, case_id: int, to: Actor, by: Actor, **more: object) -> CaseActed:
    return assign_case(
        actor=by,
        at=province.at,
        idempotency_key=None,
        case_id=case_id,
        user_id=int(to.id),
        reason=str(more.pop("reason", "他在场")),
        seen_step=int(str(more.pop("seen_step", queries.case(case_id).step))),
        **more,  # type: ignore[arg-type]
    )


def waiting(province: Province, actor: Actor) -> list[int]:
    return [line.case.case_id for line in queries.inbox(actor=actor, at=province.at)]


def blocked(province: Province, case_id: int, actor: Actor, outcome: str) -> object:
    found = queries.available_outcomes(actor=actor, case_id=case_id, at=province.at)
    (one,) = [one for one in found if one.outcome == outcome]
    return one.blocked


def test_an_assigned_step_is_one_persons_until_it_is_taken_over(province: Province) -> None:
    wang, li = province.person(Role.MAKER, "王"), province.person(Role.MAKER, "李")
    case_id = province.open("admission").case_id
    assign(province, case_id, wang, li)
    with pytest.raises(AssignedToOther) as refused:
        province.decide(case_id, "return", li)
    assert refused.value.data["who"] == "王"
    assert isinstance(blocked(province, case_id, li, "return"), AssignedToOther)
    assert (waiting(province, wang), waiting(province, li)) == ([case_id], [])
    assign(province, case_id, li, li, reason="王休假")
    assert (waiting(province, wang), waiting(province, li)) == ([], [case_id])
    assert province.decide(case_id, "return", li).state == "returned"


def test_the_move_ends_the_assignment(province: Province) -> None:
    wang, li = province.person(Role.MAKER, "王"), province.person(Role.MAKER, "李")
    case_id = province.open("admission").case_id
    assign(province, case_id, wang, wang)
    province.decide(case_id, "return", wang)
    assert queries.case(case_id).assigned_to is None
    province.decide(case_id, "resubmit", Role.OWNER)
    assert province.decide(case_id, "return", li).state == "returned"


def test_an_assignment_holds_the_steps_of_its_role_only(province: Province) -> None:
    wang = province.person(Role.MAKER, "王")
    case_id = province.open("admission").case_id
    assign(province, case_id, wang, wang)
    assert province.decide(case_id, "withdraw", Role.OWNER).state == "withdrawn", (
        "the applicant's own way stays open"
    )


def test_nobody_is_given_a_step_that_they_may_not_take(province: Province) -> None:
    wang, owner = province.person(Role.MAKER, "王"), province.person(Role.OWNER, "甲")
    case_id = province.open("admission").case_id
    checker = province.person(Role.CHECKER, "赵")
    for to in (owner, checker):
        with pytest.raises(AssigneeUnsuitable):
            assign(province, case_id, to, wang)
    with pytest.raises(NotCaseMember):
        assign(province, case_id, wang, checker)


def test_nobody_is_given_a_step_that_the_two_person_rule_bars_them_from(province: Province) -> None:
    case_id = province.open("issuance").case_id
    both = province.person(Role.MAKER, "王")
    province.decide(case_id, "submit", Role.OWNER)
    province.decide(case_id, "verify", Role.VERIFIER)
    province.decide(case_id, "prepare", both)
    Membership.objects.create(
        user_id=int(both.id),
        organisation_id=province.owner_id,
        role="checker",
        area=province.area,
        valid_from=province.at,
    )
    with pytest.raises(AssigneeUnsuitable):
        assign(province, case_id, both, province.person(Role.CHECKER, "赵"))


def test_an_assignment_has_a_reason_and_a_known_person(province: Province) -> None:
    wang = province.person(Role.MAKER, "王")
    case_id = province.open("admission").case_id
    with pytest.raises(Invalid, match="reason"):
        assign(province, case_id, wang, wang, reason=" ")
    with pytest.raises(NotFound):
        assign(province, case_id, Actor(kind="user", id="987654"), wang)


def test_whoever_assigns_too_late_learns_who_was_first_and_keeps_the_reason(province: Province) -> None:
    wang, li = province.person(Role.MAKER, "王"), province.person(Role.MAKER, "李")
    case_id = province.open("admission").case_id
    first = assign(province, case_id, wang, wang, reason="我来办", seen_act=0)
    with pytest.raises(CaseTaken) as taken:
        assign(province, case_id, li, li, reason="我也来", seen_act=0)
    data = taken.value.data
    assert (data["who"], data["to"], data["why"], data["text"]) == ("王", "王", "我来办", "我也来")
    assert assign(province, case_id, li, li, seen_act=first.act_id).act_id > first.act_id
    province.decide(case_id, "return", li)
    with pytest.raises(CaseMoved) as moved:
        assign(province, case_id, wang, wang, reason="还是我", seen_step=0)
    assert (moved.value.data["who"], moved.value.data["outcome"]) == ("李", "return")
    assert moved.value.data["opinion"] == "还是我"


def urge(province: Province, case_id: int, actor: Actor, *, days: int = 0) -> None:
    urge_case(
        actor=actor,
        at=province.at + timedelta(days=days),
        idempotency_key=None,
        case_id=case_id,
        text="请尽快",
    )


def test_a_case_is_urged_once_a_day_by_those_who_take_part(province: Province) -> None:
    case_id = province.open("admission").case_id
    urge(province, case_id, province.actor(Role.OWNER))
    with pytest.raises(UrgedToday):
        urge(province, case_id, province.actor(Role.OWNER))
    with pytest.raises(UrgedToday):
        urge(province, case_id, province.actor(Role.CHECKER))
    urge(province, case_id, province.actor(Role.OWNER), days=1)
    assert CaseAct.objects.filter(case_id=case_id, kind="urge").count() == 2
    with pytest.raises(NotCaseMember):
        urge(province, case_id, province.actor(Role.PARTNER, organisation_id=elsewhere(province)), days=2)


def test_the_day_of_urging_is_chinas(province: Province) -> None:
    case_id = province.open("admission").case_id
    province.at = province.at.replace(hour=15, minute=50)  # 23:50 in China
    urge(province, case_id, province.actor(Role.OWNER))
    province.at += timedelta(minutes=20)
    urge(province, case_id, province.actor(Role.OWNER))


def test_following_and_leaving_is_repeated_without_harm(province: Province) -> None:
    owner = province.person(Role.OWNER, "甲")
    case_id = province.open("admission").case_id

    def follow(wanted: bool, actor: Actor = owner) -> bool:
        return follow_case(
            actor=actor, at=province.at, idempotency_key=None, case_id=case_id, follow=wanted
        ).following

    assert (follow(True), follow(True)) == (True, True)
    assert CaseSubscription.objects.filter(until__isnull=True).count() == 1
    assert (follow(False), follow(False)) == (False, False)
    assert follow(True)
    assert CaseSubscription.objects.count() == 2, "what was followed before stays written"
    outsider = province.person(Role.PARTNER, "乙", organisation_id=elsewhere(province))
    with pytest.raises(NotCaseMember):
        follow(True, outsider)


def test_the_same_kind_and_name_is_the_next_version_and_the_earlier_stay(province: Province) -> None:
    case_id = province.open("admission").case_id
    assert province.attach(case_id, "minutes", content=b"one") == 1
    assert province.attach(case_id, "minutes", content=b"one") == 1, "the same bytes are no new version"
    assert province.attach(case_id, "minutes", content=b"two") == 2
    assert province.attach(case_id, "minutes", content=b"two", name="other.txt") == 1
    assert Attachment.objects.filter(case_id=case_id).count() == 3


def test_only_those_who_take_part_attach_and_only_while_the_case_runs(province: Province) -> None:
    case_id = province.open("admission").case_id
    outsider = province.actor(Role.PARTNER, organisation_id=elsewhere(province))
    with pytest.raises(NotCaseMember):
        province.attach(case_id, "minutes", actor=outsider)
    with pytest.raises(Invalid):
        province.attach(case_id, " ")
    province.decide(case_id, "withdraw", Role.OWNER)
    with pytest.raises(NotFound):
        province.attach(case_id, "minutes")


def say(province: Province, case_id: int, actor: Actor, text: str, **more: object) -> int:
    return remark(
        actor=actor,
        at=province.at,
        idempotency_key=None,
        case_id=case_id,
        item=str(more.pop("item", "第 3 条")),
        text=text,
        **more,  # type: ignore[arg-type]
    ).remark_id


def test_a_remark_is_answered_and_settled_by_the_side_that_made_it(province: Province) -> None:
    case_id = province.open("admission").case_id
    maker, owner = province.person(Role.MAKER, "王"), province.person(Role.OWNER, "甲")
    first = say(province, case_id, maker, "单位不一致")
    say(province, case_id, owner, "已改", answers=first, item="另一条")
    with pytest.raises(NotCaseMember):
        say(province, case_id, owner, "完了", answers=first, settles=True)
    say(province, case_id, province.person(Role.MAKER, "李"), "同意了结", answers=first, settles=True)
    assert set(Remark.objects.values_list("item", flat=True)) == {"第 3 条"}, (
        "an answer is about what it answers"
    )
    assert Remark.objects.filter(settles=True).count() == 1


def test_an_answer_names_a_remark_of_this_case_and_a_remark_says_something(province: Province) -> None:
    case_id, other = (province.open("admission", subject_id=n).case_id for n in "12")
    maker = province.actor(Role.MAKER)
    first = say(province, other, maker, "有问题")
    with pytest.raises(NotFound):
        say(province, case_id, maker, "答", answers=first)
    answer = say(province, other, maker, "答", answers=first)
    with pytest.raises(NotFound):
        say(province, other, maker, "答答", answers=answer)
    for text, item in ((" ", "第 1 条"), ("x" * 4001, "第 1 条"), ("有问题", " ")):
        with pytest.raises(Invalid):
            say(province, case_id, maker, text, item=item)
    with pytest.raises(NotCaseMember):
        say(province, case_id, province.actor(Role.BUYER, organisation_id=elsewhere(province)), "我看看")


def test_the_second_of_two_who_answer_a_remark_sees_the_first_and_keeps_the_text(province: Province) -> None:
    case_id = province.open("admission").case_id
    maker = province.person(Role.MAKER, "王")
    first = say(province, case_id, maker, "单位不一致")
    seen = say(
        province, case_id, province.person(Role.OWNER, "甲"), "已改为千克", answers=first, seen_answer=0
    )
    second = province.person(Role.OWNER, "乙")
    with pytest.raises(RemarkAnswered) as refused:
        say(province, case_id, second, "改成克", answers=first, seen_answer=0)
    data = refused.value.data
    assert (data["who"], data["said"], data["text"]) == ("甲", "已改为千克", "改成克")
    say(province, case_id, second, "补充：表 2 也改了", answers=first, seen_answer=seen)


def test_what_was_written_stays(province: Province) -> None:
    case_id = province.open("admission").case_id
    say(province, case_id, province.actor(Role.MAKER), "有问题")
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="pgtrigger: Cannot"):
        cursor.execute("update workflow_remark set text = 'other'")


def delegated(province: Province, role: Role, *, to: int, by: int) -> Actor:
    """Return somebody who holds a role of another person, and nothing of their own."""
    grant = Grant(
        role=role,
        organisation_id=province.actor(role).grants[0].organisation_id,
        area=province.area,
        on_behalf_of=str(by),
    )
    return Actor(kind="user", id=str(to), grants=(grant,))


def prepared(province: Province, maker: Actor) -> int:
    case_id = province.open("issuance").case_id
    province.decide(case_id, "submit", Role.OWNER)
    province.decide(case_id, "verify", Role.VERIFIER)
    province.decide(case_id, "prepare", maker)
    return case_id


def test_a_delegated_decision_names_both_persons(province: Province) -> None:
    wang = province.person(Role.MAKER, "王")
    case_id = prepared(province, delegated(province, Role.MAKER, to=71, by=int(wang.id)))
    found = queries.latest_decision(case_id)
    assert found is not None
    assert (found.actor_id, found.on_behalf_of) == ("71", wang.id)
    assert queries.timeline(case_id)[-1].on_behalf_of == "王"


@pytest.mark.parametrize(
    ("prepares", "issues"),
    [
        pytest.param((71,), (72, 71), id="who prepared lets another issue"),
        pytest.param((71, 72), (72,), id="who let another prepare issues"),
        pytest.param((71, 72), (71,), id="who prepared for another issues"),
        pytest.param((71, 73), (72, 73), id="one person stands behind both"),
    ],
)
def test_the_two_person_rule_counts_whoever_delegated_in_decision_button_and_inbox(
    province: Province, prepares: tuple[int, ...], issues: tuple[int, ...]
) -> None:
    def who(role: Role, numbers: tuple[int, ...]) -> Actor:
        if len(numbers) == 1:
            return province.actor(role, user_id=numbers[0])
        return delegated(province, role, to=numbers[0], by=numbers[1])

    case_id = prepared(province, who(Role.MAKER, prepares))
    checker = who(Role.CHECKER, issues)
    assert queries.available_outcomes(actor=checker, case_id=case_id, at=province.at) == ()
    assert waiting(province, checker) == []
    with pytest.raises(SamePerson):
        province.decide(case_id, "issue", checker)
    other = delegated(province, Role.CHECKER, to=88, by=89)
    assert waiting(province, other) == [case_id]
    assert province.decide(case_id, "issue", other).state == "issued"


def test_who_stands_in_for_the_assignee_acts_by_that_grant_and_the_button_knows_it(
    province: Province,
) -> None:
    wang, li = province.person(Role.MAKER, "王"), province.person(Role.MAKER, "李")
    case_id = province.open("admission").case_id
    assign(province, case_id, wang, wang)
    stands_in = delegated(province, Role.MAKER, to=int(li.id), by=int(wang.id))
    both = Actor(kind="user", id=li.id, grants=(*li.grants, *stands_in.grants))
    found = queries.available_outcomes(actor=both, case_id=case_id, at=province.at)
    assert {(one.outcome, one.on_behalf_of) for one in found if one.outcome == "return"} == {
        ("return", wang.id)
    }
    assert blocked(province, case_id, both, "return") is None
    assert waiting(province, both) == [case_id]
    assert province.decide(case_id, "return", both).state == "returned"
