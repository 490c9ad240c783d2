"""Several cases go to one colleague at once; what moved or was taken since is told by number, and the rest is done."""

from __future__ import annotations

import pytest
from tests.integration.foundation.workflow.conftest import Province

from tanpuhui.foundation.identity.models import Membership, Organisation, User
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import Case
from tanpuhui.foundation.workflow.operations import CasesAssigned, CaseToAssign, assign_cases, decide
from tanpuhui.foundation.workflow.operations._assign_cases import AT_ONCE_MAX

pytestmark = pytest.mark.django_db


def maker(province: Province, number: int) -> Actor:
    """Return a maker who can be assigned to: a user with the role in the centre."""
    centre, _ = Organisation.objects.get_or_create(
        uscc="C" * 18,
        defaults={
            "kind": "centre",
            "name": "中心",
            "name_en": "Centre",
            "area": province.area,
            "admitted_at": province.at,
        },
    )
    user = User.objects.create(
        pk=number, username=f"maker{number}", display_name=f"经办{number}", area=province.area, is_citizen=False,
        joined_at=province.at, organisation=centre,
    )  # fmt: skip
    Membership.objects.create(
        user=user, organisation=centre, role="maker", area=province.area, valid_from=province.at
    )
    return province.actor(Role.MAKER, user_id=number)


def verified(province: Province, subject_id: str) -> Case:
    case_id = province.open("issuance", subject_id=subject_id).case_id
    for outcome, role in (("submit", Role.OWNER), ("verify", Role.VERIFIER)):
        decide(
            actor=province.actor(role), at=province.at, idempotency_key=None, case_id=case_id, outcome=outcome, opinion="同意"
        )  # fmt: skip
    return Case.objects.get(pk=case_id)


def seen(case: Case) -> CaseToAssign:
    acts = queries.assignments_seen([case.pk])
    return CaseToAssign(case_id=case.pk, seen_step=case.step, seen_act=acts.get(case.pk, 0))


def assign(
    province: Province, actor: Actor, cases: list[CaseToAssign], to: int, *, key: str | None = None
) -> CasesAssigned:
    return assign_cases(
        actor=actor, at=province.at, idempotency_key=key, cases=cases, user_id=to, reason="出差期间代办"
    )


def test_all_that_were_picked_are_the_colleagues_now(province: Province) -> None:
    first, _ = maker(province, 41), maker(province, 42)
    cases = [verified(province, str(number)) for number in range(3)]
    done = assign(province, first, [seen(case) for case in cases], 42)
    assert (done.assigned, done.refused) == (tuple(case.pk for case in cases), ())
    assert queries.count_inbox(province.actor(Role.MAKER, user_id=42)) == 3
    assert queries.count_inbox(first) == 0
    counts = queries.inbox_counts(actor=province.actor(Role.MAKER, user_id=42), at=province.at)
    assert counts.mine == 3


def test_what_moved_or_was_taken_since_is_refused_by_number_and_the_rest_is_done(province: Province) -> None:
    first, second = maker(province, 41), maker(province, 42)
    maker(province, 43)
    moved, taken, free = (verified(province, str(number)) for number in range(3))
    picked = [seen(case) for case in (moved, taken, free)]
    decide(
        actor=second, at=province.at, idempotency_key=None, case_id=moved.pk, outcome="prepare", opinion="已编制"
    )  # fmt: skip
    assign(province, second, [seen(taken)], 42)
    done = assign(province, first, picked, 43)
    assert done.assigned == (free.pk,)
    assert [(one.number, one.code) for one in done.refused] == [
        (moved.number, "CASE_MOVED"),
        (taken.number, "CASE_TAKEN"),
    ]
    assert "经办42" in done.refused[1].why_zh
    assert Case.objects.get(pk=taken.pk).assigned_to_id == 42, "nothing of the first one's is overwritten"


def test_who_could_not_take_a_step_is_not_given_it(province: Province) -> None:
    first = maker(province, 41)
    User.objects.create(
        pk=50,
        username="nobody",
        display_name="无权",
        area=province.area,
        is_citizen=False,
        joined_at=province.at,
    )
    (refused,) = assign(province, first, [seen(verified(province, "1"))], 50).refused
    assert refused.code == "ASSIGNEE_UNSUITABLE"


def test_a_repeated_form_has_one_effect(province: Province) -> None:
    first, _ = maker(province, 41), maker(province, 42)
    picked = [seen(verified(province, "1"))]
    assert assign(province, first, picked, 42, key="k") == assign(province, first, picked, 42, key="k")
    assert Case.objects.get().acts.count() == 1


def test_none_and_too_many_and_no_reason_are_refused(province: Province) -> None:
    first = maker(province, 41)
    one = CaseToAssign(case_id=1, seen_step=0, seen_act=0)
    for cases, reason in (([], "x"), ([one] * (AT_ONCE_MAX + 1), "x"), ([one], "  ")):
        with pytest.raises(Invalid):
            assign_cases(
                actor=first, at=province.at, idempotency_key=None, cases=cases, user_id=41, reason=reason
            )
