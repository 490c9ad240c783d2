"""An organisation comes in through a case: its contract and its people begin when it is admitted, and not before."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import pytest
from django.db import connection
from pydantic import SecretStr
from tests.integration.journeys.conftest import FACTS, PDF, Counter, changed

from tanpuhui import journeys
from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.identity import queries
from tanpuhui.foundation.identity.models import Membership, Organisation, User
from tanpuhui.foundation.identity.operations import (
    AlreadyActivated,
    ApplicationRuns,
    AuthorisedPerson,
    ContractTaken,
    InvitationExpired,
    InvitationWrong,
    OrganisationKind,
    PasswordTooShort,
    RoleNotOfKind,
    TooManyApplications,
    UscCodeTaken,
    UsernameTaken,
    activate,
    invite_again,
    invite_person,
    record_contract,
    send_invitation,
    sign_in_with_password,
    warn_of_contracts,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import EvidenceMissing, SamePerson

PASSWORD = SecretStr("a password of their own 1")


def jobs(task: str) -> list[dict[str, object]]:
    with connection.cursor() as cursor:
        cursor.execute("select args::text from procrastinate_jobs where task_name = %s order by id", [task])
        return [json.loads(row[0]) for row in cursor.fetchall()]


def code_sent_to(counter: Counter, username: str) -> str:
    lines = [line for line in counter.outbox.read_text("utf-8").splitlines() if username in line]
    return re.search(r"激活码 (\d{8})", lines[-1])[1]  # type: ignore[index]


def test_nothing_exists_until_the_second_person_admits_and_then_everything_does(counter: Counter) -> None:
    applied = counter.applies()
    counter.decides("maker", applied.case_id, "complete")
    assert not Organisation.objects.filter(uscc=FACTS.uscc).exists()
    with pytest.raises(NotPermitted):
        journeys.admit_organisation(
            actor=SYSTEM, at=counter.at, case_id=applied.case_id, subject_id=str(applied.application_id), opinion=""
        )  # fmt: skip
    counter.decides("checker", applied.case_id, "admit")
    (organisation,) = queries.organisations(kind="partner")
    assert (organisation.name, organisation.uscc, organisation.area) == (FACTS.name, FACTS.uscc, FACTS.area)
    (contract,) = queries.contracts(organisation_ids=[organisation.id])
    assert (contract.valid_from, contract.valid_to) == (FACTS.contract_from, FACTS.contract_to)
    staff = queries.staff(organisation.id, at=counter.at)
    assert [(one.username, {role for _, role, _, _ in one.roles}, one.activated) for one in staff] == [
        ("beigang.one", {"administrator", "partner"}, False),
        ("beigang.two", {"partner"}, False),
    ]
    assert [job["user_id"] for job in jobs("identity.send_invitation")] == [one.user_id for one in staff]
    assert queries.application(applied.application_id).organisation_id == organisation.id
    assert list(queries.breaches()) == []


def test_the_one_who_found_it_complete_does_not_admit(counter: Counter) -> None:
    applied = counter.applies()
    counter.decides("maker", applied.case_id, "complete")
    Membership.objects.filter(user_id=counter.users["maker"]).update(role="checker")
    with pytest.raises(SamePerson):
        counter.decides("maker", applied.case_id, "admit")


def test_it_does_not_go_on_without_its_documents(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tanpuhui.journeys._onboard_organisation._attach", lambda *_, **__: None)
    applied = counter.applies()
    with pytest.raises(EvidenceMissing):
        counter.decides("maker", applied.case_id, "complete")


@pytest.mark.parametrize("prefix", ["N2990100", "A1990100", "Y1990100"])
def test_a_collective_with_a_letter_in_front_comes_in(counter: Counter, prefix: str) -> None:
    uscc = complete_uscc(prefix, "MF9D0777")
    counter.admits(changed(uscc=uscc.lower(), kind=OrganisationKind.OWNER, people=_owners()))
    assert Organisation.objects.get(uscc=uscc).kind == "owner"


def _owners() -> tuple[AuthorisedPerson, ...]:
    roles = (Role.ADMINISTRATOR, Role.OWNER)
    return (AuthorisedPerson(name="农一", phone="13800000009", username="nongyi", roles=roles),)


def test_each_person_sets_a_password_with_the_code_on_their_phone_and_signs_in(counter: Counter) -> None:
    counter.admits()
    user = User.objects.get(username="beigang.one")
    send_invitation(user_id=user.pk, at=counter.at)
    code = code_sent_to(counter, "beigang.one")
    facts = {"username": "beigang.one", "ip": "192.0.2.1", "at": counter.at}
    wrong = "00000000" if code != "00000000" else "11111111"
    with pytest.raises(InvitationWrong) as refused:
        activate(code=wrong, password=PASSWORD, **facts)  # type: ignore[arg-type]
    assert refused.value.data["tries_left"] == 4
    with pytest.raises(PasswordTooShort):
        activate(code=code, password=SecretStr("short"), **facts)  # type: ignore[arg-type]
    assert activate(code=f"{code[:4]} {code[4:]}", password=PASSWORD, **facts).pk == user.pk  # type: ignore[arg-type]
    signed_in = sign_in_with_password(
        username="beigang.one", password=PASSWORD.get_secret_value(), ip="192.0.2.1", at=counter.at
    )
    assert (signed_in.password_set_at, signed_in.password_is_temporary) == (counter.at, False)
    assert queries.actor_of(user_id=signed_in.pk, at=counter.at).roles == {Role.ADMINISTRATOR, Role.PARTNER}
    with pytest.raises(InvitationExpired):
        activate(code=code, password=PASSWORD, **facts)  # type: ignore[arg-type]
    with pytest.raises(AlreadyActivated):
        invite_again(actor=SYSTEM, at=counter.at, user_id=user.pk)


def test_a_code_ends_by_time_by_tries_and_by_the_next_one(counter: Counter) -> None:
    counter.admits()
    user = User.objects.get(username="beigang.one")
    facts = {"username": "beigang.one", "ip": "192.0.2.1", "password": PASSWORD}
    send_invitation(user_id=user.pk, at=counter.at)
    first = code_sent_to(counter, "beigang.one")
    with pytest.raises(InvitationExpired):
        activate(code=first, at=counter.at + timedelta(hours=72), **facts)  # type: ignore[arg-type]
    send_invitation(user_id=user.pk, at=counter.at + timedelta(minutes=1))
    second = code_sent_to(counter, "beigang.one")
    later = counter.at + timedelta(minutes=2)
    if first != second:
        with pytest.raises(InvitationWrong):
            activate(code=first, at=later, **facts)  # type: ignore[arg-type]
    for _ in range(3):
        with pytest.raises(InvitationWrong):
            activate(code="x", at=later, **facts)  # type: ignore[arg-type]
    with pytest.raises(InvitationExpired):
        activate(code="x", at=later, **facts)  # type: ignore[arg-type]
    with pytest.raises(InvitationExpired):
        activate(code=second, at=later, **facts)  # type: ignore[arg-type]
    with pytest.raises(InvitationExpired):
        activate(**{**facts, "username": "nobody.at.all"}, code=second, at=later)  # type: ignore[arg-type]


def test_phones_names_and_codes_are_not_kept_in_the_clear(counter: Counter) -> None:
    counter.admits()
    send_invitation(user_id=User.objects.get(username="beigang.one").pk, at=counter.at)
    code = code_sent_to(counter, "beigang.one")
    with connection.cursor() as cursor:
        cursor.execute(
            "select encode(people, 'escape') from identity_organisationapplication union all "
            "select result::text from audit_auditrecord union all select args::text from procrastinate_jobs"
        )
        kept = "\n".join(row[0] for row in cursor.fetchall())
    for secret in ("13800000001", "港一", code):
        assert secret not in kept
    assert AuditRecord.objects.filter(operation="journeys.apply_for_organisation").exists()


def test_a_work_account_and_a_citizens_account_may_have_one_phone(counter: Counter) -> None:
    people = (
        AuthorisedPerson(
            name="市民本人", phone="13900000001", username="myself", roles=(Role.ADMINISTRATOR, Role.PARTNER)
        ),
    )
    counter.admits(changed(people=people))
    assert queries.user_of_phone("13900000001") == counter.users["citizen"]
    assert User.objects.filter(phone_index=queries.phone_index("13900000001")).count() == 2


def test_returned_corrected_and_resubmitted_by_the_applicant_alone(counter: Counter) -> None:
    applied = counter.applies()
    counter.decides("maker", applied.case_id, "return")
    better = changed(name="北港充电网络", contract_to=date(2028, 12, 31))
    facts = {
        "at": counter.at,
        "application_id": applied.application_id,
        "facts": better,
        "opinion": "已改名称",
    }
    with pytest.raises(NotFound):
        journeys.resubmit_application(actor=counter.actor("stranger"), **facts)  # type: ignore[arg-type]
    journeys.resubmit_application(
        actor=counter.actor("citizen"), licence_name="执照.pdf", licence=PDF + b" new", **facts  # type: ignore[arg-type]
    )  # fmt: skip
    assert workflow.case(applied.case_id).state == "submitted"
    assert queries.application(applied.application_id).facts.name == "北港充电网络"
    with pytest.raises(Invalid, match="area"):
        journeys.resubmit_application(
            actor=counter.actor("citizen"), **{**facts, "facts": changed(area="990200")}  # type: ignore[arg-type]
        )  # fmt: skip


@pytest.mark.parametrize("ending", ["withdraw", "reject"])
def test_an_application_that_ended_frees_its_credit_code(counter: Counter, ending: str) -> None:
    applied = counter.applies()
    with pytest.raises(ApplicationRuns):
        counter.applies(changed(people=_partners("again")), actor=counter.actor("stranger"))
    if ending == "withdraw":
        counter.decides("citizen", applied.case_id, "withdraw")
    else:
        counter.decides("maker", applied.case_id, "complete")
        counter.decides("checker", applied.case_id, "reject")
    assert queries.application(applied.application_id).closed_at is not None
    assert counter.applies()


def _partners(username: str) -> tuple[AuthorisedPerson, ...]:
    roles = (Role.ADMINISTRATOR, Role.PARTNER)
    return (AuthorisedPerson(name="某人", phone="13800000008", username=username, roles=roles),)


def test_what_is_taken_is_refused_with_its_name(counter: Counter) -> None:
    counter.admits()
    with pytest.raises(UscCodeTaken):
        counter.applies(changed(people=_partners("other")))
    free = complete_uscc("91990100", "MA9D0778")
    with pytest.raises(UsernameTaken) as refused:
        counter.applies(changed(uscc=free))
    assert refused.value.data["username"] == "beigang.one"
    for number in range(5):
        counter.applies(
            changed(uscc=complete_uscc("91990100", f"MA9D080{number}"), people=_partners(f"user{number}"))
        )
    with pytest.raises(TooManyApplications):
        counter.applies(changed(uscc=free, people=_partners("seventh")))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"uscc": "91990100MA9D077700"}, "uscc"),
        ({"name": " "}, "name"),
        ({"area": "9901"}, "area"),
        ({"kind": OrganisationKind.CENTRE}, "kind"),
        ({"contract_to": date(2025, 1, 1)}, "contract_to"),
        ({"people": ()}, "people"),
        ({"people": (FACTS.people[1],)}, "roles"),
        ({"people": (*FACTS.people, FACTS.people[0])}, "phone"),
    ],
)
def test_a_wrong_fact_is_named(counter: Counter, changes: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        counter.applies(changed(**changes))
    assert refused.value.data["field"] == field


def test_a_role_that_the_kind_cannot_give_and_a_file_that_is_no_scan_are_refused(counter: Counter) -> None:
    with pytest.raises(RoleNotOfKind):
        counter.applies(changed(kind=OrganisationKind.VERIFIER))
    with pytest.raises(Invalid, match="PDF"):
        counter.applies(licence=b"MZ an executable")
    with pytest.raises(NotPermitted):
        counter.applies(actor=counter.actor("maker"))


def test_a_sub_centres_people_come_in_without_roles_and_it_has_no_contract(counter: Counter) -> None:
    people = (AuthorisedPerson(name="北一", phone="13800000007", username="beigang", roles=()),)
    counter.admits(changed(kind=OrganisationKind.SUBCENTRE, people=people))
    (centre,) = queries.organisations(kind="subcentre")
    assert queries.contracts(organisation_ids=[centre.id]) == ()
    assert [one.roles for one in queries.staff(centre.id, at=counter.at)] == [()]
    assert [held.area for held in queries.area_assignments(at=counter.at)] == ["990100"]


def test_roles_rest_when_the_contract_is_over_and_wake_with_the_next_one(counter: Counter) -> None:
    counter.admits()
    (organisation,) = queries.organisations(kind="partner")
    user_id = User.objects.get(username="beigang.one").pk
    last = counter.at.replace(year=2027, month=12, day=31, hour=8)
    over = last + timedelta(days=1)
    assert queries.actor_of(user_id=user_id, at=last).roles == {Role.ADMINISTRATOR, Role.PARTNER}
    assert queries.actor_of(user_id=user_id, at=over).roles == frozenset()
    admin = counter.actor("system_administrator")
    next_one = {"organisation_id": organisation.id, "number": "HH-2028-01"}
    record_contract(
        actor=admin, at=over, valid_from=date(2028, 1, 1), valid_to=date(2028, 12, 31), **next_one  # type: ignore[arg-type]
    )  # fmt: skip
    assert queries.actor_of(user_id=user_id, at=over).roles == {Role.ADMINISTRATOR, Role.PARTNER}
    with pytest.raises(ContractTaken):
        record_contract(
            actor=admin, at=over, valid_from=date(2028, 1, 1), valid_to=date(2028, 12, 31), **next_one  # type: ignore[arg-type]
        )  # fmt: skip


def test_an_end_that_is_near_is_told_of_once_and_not_at_all_where_another_contract_follows(
    counter: Counter,
) -> None:
    counter.admits()
    early = counter.at.replace(year=2027, month=11, day=20)
    near = counter.at.replace(year=2027, month=12, day=10)
    assert warn_of_contracts(actor=SYSTEM, at=early).count == 0
    assert warn_of_contracts(actor=SYSTEM, at=near).count == 1
    assert warn_of_contracts(actor=SYSTEM, at=near).count == 0
    (organisation,) = queries.organisations(kind="partner")
    admin = counter.actor("system_administrator")
    for number, first, last in (
        ("2", date(2028, 1, 1), date(2028, 6, 30)),
        ("3", date(2028, 7, 1), date(2029, 6, 30)),
    ):
        record_contract(
            actor=admin, at=near, organisation_id=organisation.id, number=number, valid_from=first, valid_to=last
        )  # fmt: skip
    assert warn_of_contracts(actor=SYSTEM, at=near.replace(year=2028, month=6, day=20)).count == 0


def test_a_person_is_added_by_the_organisations_own_administrator_or_the_system_administrator(
    counter: Counter,
) -> None:
    counter.admits()
    (organisation,) = queries.organisations(kind="partner")
    boss = queries.actor_of(user_id=User.objects.get(username="beigang.one").pk, at=counter.at)
    facts = {
        "at": counter.at,
        "organisation_id": organisation.id,
        "display_name": "新人",
        "phone": "13800000003",
    }
    added = invite_person(actor=boss, username="beigang.three", **facts)  # type: ignore[arg-type]
    invite_person(actor=counter.actor("system_administrator"), username="beigang.four", **facts)  # type: ignore[arg-type]
    with pytest.raises(NotPermitted):
        invite_person(actor=counter.actor("security_administrator"), username="ghost", **facts)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="username"):
        invite_person(actor=boss, username="港三", **facts)  # type: ignore[arg-type]
    invite_again(actor=counter.actor("security_administrator"), at=counter.at, user_id=added.user_id)
    assert [job["user_id"] for job in jobs("identity.send_invitation")].count(added.user_id) == 2
