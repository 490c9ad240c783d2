"""Whose turn it is hears of it, whoever waits for the outcome hears how it went, and deadlines are told of once."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_django import Settings
from tests.integration.foundation.workflow.conftest import Province

from tanpuhui.foundation.identity.models import Organisation, User
from tanpuhui.foundation.identity.operations import add_member, end_membership
from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.messages.models import Message
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.messages.queries import view_of
from tanpuhui.foundation.rulebook.models import Parameter
from tanpuhui.foundation.workflow.models import Case, Decision
from tanpuhui.foundation.workflow.operations import (
    assign_case,
    decide,
    follow_case,
    tell_of_act,
    tell_of_decision,
    tell_of_opening,
    urge_case,
    warn_of_deadlines,
)
from tanpuhui.foundation.workflow.operations._tell import WARNED_AT_ONCE_MAX, WARNING_PARAMETER

pytestmark = pytest.mark.django_db
KIND_OF = {
    Role.OWNER: "owner",
    Role.VERIFIER: "verifier",
    Role.EXPERT: "expert_body",
    Role.REGULATOR: "regulator",
}


class People:
    """Somebody for every role, by name; organisations are made as they are needed."""

    def __init__(self, province: Province) -> None:
        self.province = province
        self.ids: dict[str, int] = {}
        self.memberships: dict[str, int] = {}

    def add(self, name: str, role: Role, *, area: str = "", organisation_id: int = 0) -> int:
        province = self.province
        kind = KIND_OF.get(role, "centre")
        own = {Role.OWNER: province.owner_id, Role.VERIFIER: province.verifier_id}
        organisation = organisation_id or own.get(role) or self._organisation(kind)
        added = add_member(
            actor=SYSTEM, at=province.at, organisation_id=organisation, username=name, display_name=name,
            password=SecretStr("a long pass phrase 1"), role=role, area=area or province.area,
        )  # fmt: skip
        self.ids[name], self.memberships[name] = added.user_id, added.membership_id
        return added.user_id

    def _organisation(self, kind: str) -> int:
        found = Organisation.objects.filter(kind=kind).first()
        if found is None:
            found = Organisation.objects.create(
                kind=kind, name=kind, name_en=kind, uscc=f"X{kind:>17.17}", area=self.province.area,
                admitted_at=self.province.at,
            )  # fmt: skip
        return int(found.pk)

    def decide(self, name: str, case_id: int, outcome: str) -> int:
        """Decide, tell of it, and return the decision."""
        at = self.province.at
        decide(
            actor=actor_of(user_id=self.ids[name], at=at),
            at=at,
            case_id=case_id,
            outcome=outcome,
            opinion="同意",
            idempotency_key=None,
        )
        decision_id = Decision.objects.filter(case_id=case_id).latest("step").pk
        tell_of_decision(actor=SYSTEM, at=at, case_id=case_id, decision_id=decision_id)
        return int(decision_id)

    def heard(self, event: str = "") -> dict[str, set[str]]:
        """Return the keys of what each person was told."""
        names = {user_id: name for name, user_id in self.ids.items()}
        found: dict[str, set[str]] = {}
        rows = Message.objects.filter(event=event) if event else Message.objects.all()
        for user_id, key in rows.values_list("user_id", "template__key"):
            found.setdefault(names[user_id], set()).add(key)
        return found


@pytest.fixture
def people(province: Province, settings: Settings, invented_jurisdiction: Path) -> People:
    folder = Path(settings.TANPUHUI_JURISDICTION_DIR)
    shutil.copytree(invented_jurisdiction / "messages", folder / "messages")
    load_templates(actor=SYSTEM, at=province.at, folder=folder)
    found = People(province)
    for name, role in (
        ("owner", Role.OWNER),
        ("verifier", Role.VERIFIER),
        ("maker", Role.MAKER),
        ("checker", Role.CHECKER),
        ("second", Role.CHECKER),
    ):
        found.add(name, role)
    return found


def test_the_next_one_hears_that_it_is_their_turn_and_the_applicants_people_how_it_went(
    people: People,
) -> None:
    people.add("colleague", Role.OWNER)
    case_id = people.province.open("issuance").case_id
    submitted = people.decide("owner", case_id, "submit")
    assert people.heard(f"decision:{submitted}") == {
        "verifier": {"case.waiting"},
        "colleague": {"case.moved"},
    }
    verified = people.decide("verifier", case_id, "verify")
    assert people.heard(f"decision:{verified}") == {
        "maker": {"case.waiting"},
        "owner": {"case.moved"},
        "colleague": {"case.moved"},
    }


def test_the_sentence_names_case_state_and_outcome_but_no_opinion(people: People) -> None:
    opened = people.province.open("issuance")
    people.decide("owner", opened.case_id, "submit")
    row = Message.objects.select_related("template").get(user_id=people.ids["verifier"])
    view = view_of(row)
    assert opened.number in view.body_zh
    assert "submitted态" in view.body_zh
    assert view.link == f"/w/cases/{opened.case_id}"
    assert all("同意" not in str(value) for value in row.data.values())


def test_nobody_hears_twice_and_nobody_of_what_they_did_themselves(people: People) -> None:
    case_id = people.province.open("issuance").case_id
    decision_id = people.decide("owner", case_id, "submit")
    before = Message.objects.count()
    tell_of_decision(actor=SYSTEM, at=people.province.at, case_id=case_id, decision_id=decision_id)
    assert Message.objects.count() == before
    assert "owner" not in people.heard(f"decision:{decision_id}")


def test_a_case_that_has_moved_on_is_told_of_by_its_later_decision(people: People) -> None:
    case_id = people.province.open("issuance").case_id
    at = people.province.at
    for name, outcome in (("owner", "submit"), ("verifier", "verify")):
        actor = actor_of(user_id=people.ids[name], at=at)
        decide(actor=actor, at=at, case_id=case_id, outcome=outcome, opinion="同意", idempotency_key=None)
    first = Decision.objects.get(case_id=case_id, step=1).pk
    assert tell_of_decision(actor=SYSTEM, at=at, case_id=case_id, decision_id=first).told == 0


def test_who_prepared_is_not_called_to_check(people: People) -> None:
    both = people.add("both", Role.MAKER)
    add_role(people, both, Role.CHECKER)
    case_id = people.province.open("issuance").case_id
    for name, outcome in (("owner", "submit"), ("verifier", "verify")):
        people.decide(name, case_id, outcome)
    prepared = people.decide("both", case_id, "prepare")
    waiting = {name for name, keys in people.heard(f"decision:{prepared}").items() if "case.waiting" in keys}
    assert waiting == {"checker", "second"}


def test_another_area_another_organisation_and_who_has_left_hear_nothing(people: People) -> None:
    people.add("city", Role.MAKER, area="990200")
    people.add("gone", Role.MAKER)
    people.add("locked", Role.MAKER)
    end_membership(actor=SYSTEM, at=people.province.at, membership_id=people.memberships["gone"])
    User.objects.filter(pk=people.ids["locked"]).update(is_active=False)
    other = Organisation.objects.create(
        kind="verifier", name="别家", name_en="Other", uscc="X" * 18, area=people.province.area, admitted_at=people.province.at
    )  # fmt: skip
    people.add("stranger", Role.VERIFIER, organisation_id=int(other.pk))
    case_id = people.province.open("issuance", area="990100").case_id
    people.decide("owner", case_id, "submit")
    people.decide("verifier", case_id, "verify")
    assert people.heard().keys() == {"verifier", "maker", "owner"}


def test_a_new_case_is_announced_to_those_who_take_its_first_step(people: People) -> None:
    people.add("expert", Role.EXPERT)
    case_id = people.province.open("methodology_filing").case_id
    assert tell_of_opening(actor=SYSTEM, at=people.province.at, case_id=case_id).told == 1
    assert people.heard() == {"expert": {"case.waiting"}}


def test_who_is_given_a_case_hears_from_whom_and_then_alone_of_the_step(people: People) -> None:
    case_id = people.province.open("issuance").case_id
    for name, outcome in (("owner", "submit"), ("verifier", "verify"), ("maker", "prepare")):
        people.decide(name, case_id, outcome)
    Message.objects.all().delete()
    at, step = people.province.at, Case.objects.get(pk=case_id).step
    act = assign_case(
        actor=actor_of(user_id=people.ids["checker"], at=at), at=at, idempotency_key=None, case_id=case_id,
        user_id=people.ids["second"], reason="出差", seen_step=step,
    )  # fmt: skip
    assert tell_of_act(actor=SYSTEM, at=at, case_id=case_id, act_id=act.act_id).told == 1
    row = Message.objects.select_related("template").get()
    assert (row.user_id, row.template.key) == (people.ids["second"], "case.assigned")
    assert row.data["who"] == "checker"
    Case.objects.filter(pk=case_id).update(deadline_day=at.date() - timedelta(days=1))
    warn_of_deadlines(actor=SYSTEM, at=at)
    assert people.heard() == {"second": {"case.assigned", "case.overdue"}}


def test_those_who_can_act_hear_that_somebody_waits(people: People) -> None:
    case_id = people.province.open("issuance").case_id
    people.decide("owner", case_id, "submit")
    at = people.province.at
    owner = actor_of(user_id=people.ids["owner"], at=at)
    act = urge_case(actor=owner, at=at, idempotency_key=None, case_id=case_id, text="请尽快核查")
    tell_of_act(actor=SYSTEM, at=at, case_id=case_id, act_id=act.act_id)
    assert people.heard(f"act:{act.act_id}") == {"verifier": {"case.urged"}}


def test_who_follows_a_case_hears_of_every_step_until_they_stop(people: People) -> None:
    case_id = people.province.open("issuance").case_id
    at = people.province.at
    second = actor_of(user_id=people.ids["second"], at=at)
    follow_case(actor=second, at=at, idempotency_key=None, case_id=case_id, follow=True)
    first = people.decide("owner", case_id, "submit")
    assert people.heard(f"decision:{first}")["second"] == {"case.moved"}
    follow_case(actor=second, at=at, idempotency_key=None, case_id=case_id, follow=False)
    assert "second" not in people.heard(f"decision:{people.decide('verifier', case_id, 'verify')}")


def test_a_passed_deadline_is_told_of_once(people: People) -> None:
    case_id = people.province.open("issuance").case_id
    people.decide("owner", case_id, "submit")
    Message.objects.all().delete()
    late = people.province.at + timedelta(days=30)
    assert warn_of_deadlines(actor=SYSTEM, at=late).told == 1
    assert people.heard() == {"verifier": {"case.overdue"}}
    assert warn_of_deadlines(actor=SYSTEM, at=late + timedelta(days=1)).told == 0


def test_a_near_deadline_is_announced_only_where_a_rule_says_how_near(people: People) -> None:
    case_id = people.province.open("issuance").case_id
    people.decide("owner", case_id, "submit")
    Message.objects.all().delete()
    assert Case.objects.get(pk=case_id).deadline_day is not None
    assert warn_of_deadlines(actor=SYSTEM, at=people.province.at).told == 0
    Parameter.objects.create(
        key=WARNING_PARAMETER, scope="", value="10", unit="working day", basis="test", confidence="DEMO", note="",
        valid_from=people.province.at.date(), pack="base", rank=9,
    )  # fmt: skip
    assert warn_of_deadlines(actor=SYSTEM, at=people.province.at).told == 1
    assert warn_of_deadlines(actor=SYSTEM, at=people.province.at + timedelta(days=1)).told == 0
    assert people.heard() == {"verifier": {"case.due_soon"}}
    assert warn_of_deadlines(actor=SYSTEM, at=people.province.at + timedelta(days=30)).told == 1
    assert people.heard() == {"verifier": {"case.due_soon", "case.overdue"}}


def test_many_cases_are_warned_of_step_by_step(people: People) -> None:
    rows = [
        people.province.open("issuance", subject_id=str(n)).case_id for n in range(WARNED_AT_ONCE_MAX + 1)
    ]
    day = people.province.at.date() - timedelta(days=1)
    Case.objects.filter(pk__in=rows).update(deadline_day=day)
    first = warn_of_deadlines(actor=SYSTEM, at=people.province.at)
    assert (first.cases, first.after) == (WARNED_AT_ONCE_MAX, rows[-2])
    assert first.after is not None
    last = warn_of_deadlines(actor=SYSTEM, at=people.province.at, after=first.after)
    assert (last.cases, last.after) == (1, None)


def add_role(people: People, user_id: int, role: Role) -> None:
    from tanpuhui.foundation.identity.models import Membership

    centre = Membership.objects.get(user_id=user_id).organisation_id
    Membership.objects.create(
        user_id=user_id,
        organisation_id=centre,
        role=role.value,
        area=people.province.area,
        valid_from=people.province.at,
    )
