"""Every save of an application is a version; only a draft or a returned one is edited; partners speak for themselves."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import DatabaseError, transaction
from tests.integration.behaviour.activity.test_sandbox import STRANGER, content
from tests.integration.behaviour.activity.town import Town, build

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain.applications import ApplicationChanged, ApplicationNotEditable
from tanpuhui.behaviour.activity.models import ScenarioApplication, ScenarioApplicationVersion
from tanpuhui.behaviour.activity.operations import (
    attach_to_application,
    detach_from_application,
    discard_application,
    open_application,
    save_application,
)
from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.identity.operations import OrganisationKind, register_organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.kernel.identifiers import complete_uscc

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(db: None) -> Town:
    return build(subjects=(), with_accounts=False)


@pytest.fixture
def opened(town: Town, now: datetime) -> int:
    return open_application(
        actor=town.partner, at=now, organisation_id=town.partner_id, content=content(), idempotency_key="o"
    ).application_id


def owner(at: datetime) -> tuple[Actor, int]:
    organisation_id = register_organisation(
        actor=SYSTEM, at=at, kind=OrganisationKind.OWNER, name="业主", name_en="Owner",
        uscc=complete_uscc("91990000", "MA000002"), area="990100",
    ).organisation_id  # fmt: skip
    grant = Grant(role=Role.OWNER, organisation_id=organisation_id, area="990100")
    return Actor(kind="user", id="501", grants=(grant,)), organisation_id


def test_every_save_is_kept(town: Town, opened: int, now: datetime) -> None:
    saved = save_application(
        actor=town.partner, at=now, application_id=opened, version=1, content=content(name_zh="公共汽车"),
        idempotency_key="s",
    )  # fmt: skip
    assert saved.version == 2
    assert [one.content.name_zh for one in queries.application_versions(opened)] == ["公共汽车", "公交"]
    assert queries.application(opened, version=1).content.name_zh == "公交"
    with pytest.raises(DatabaseError), transaction.atomic():
        ScenarioApplicationVersion.objects.filter(application_id=opened).update(content={})


def test_two_editors_do_not_overwrite_each_other(town: Town, opened: int, now: datetime) -> None:
    def save(key: str) -> None:
        save_application(
            actor=town.partner, at=now, application_id=opened, version=1, content=content(), idempotency_key=key
        )  # fmt: skip

    save("first")
    with pytest.raises(ApplicationChanged):
        save("second")


@pytest.mark.parametrize("state", ["applied", "live", "rejected"])
def test_what_is_with_the_centre_or_decided_is_not_edited(
    town: Town, opened: int, now: datetime, state: str
) -> None:
    ScenarioApplication.objects.filter(pk=opened).update(state=state, case_id=1)
    with pytest.raises(ApplicationNotEditable):
        save_application(
            actor=town.partner, at=now, application_id=opened, version=1, content=content(), idempotency_key="s"
        )  # fmt: skip


def test_documents_come_and_go_with_versions_and_a_save_keeps_them(
    town: Town, opened: int, now: datetime
) -> None:
    attach_to_application(
        actor=town.partner, at=now, application_id=opened, version=1, name="协议.pdf", media_type="application/pdf",
        content=b"%PDF agreement", idempotency_key="d",
    )  # fmt: skip
    save_application(
        actor=town.partner, at=now, application_id=opened, version=2, content=content(), idempotency_key="s"
    )
    (document,) = queries.application(opened).content.documents
    with open_document(document.sha256) as stream:
        assert stream.read() == b"%PDF agreement"
    detach_from_application(
        actor=town.partner, at=now, application_id=opened, version=3, sha256=document.sha256, idempotency_key="x"
    )  # fmt: skip
    assert queries.application(opened).content.documents == ()
    assert queries.application(opened, version=3).content.documents == (document,)


def test_a_partner_applies_for_its_own_records_and_an_owner_names_the_partner(
    town: Town, opened: int, now: datetime
) -> None:
    assert queries.application(opened).content.partner_id == town.partner_id
    actor, organisation_id = owner(now)
    with pytest.raises(Invalid):
        open_application(
            actor=actor, at=now, organisation_id=organisation_id, content=content(partner_id=organisation_id),
            idempotency_key="o",
        )  # fmt: skip
    named = open_application(
        actor=actor, at=now, organisation_id=organisation_id, content=content(partner_id=town.partner_id),
        idempotency_key="o2",
    )  # fmt: skip
    assert queries.application(named.application_id).content.partner_id == town.partner_id
    mine = queries.applications(organisation_ids=[town.partner_id], partner_ids=[town.partner_id])
    assert [one.id for one in mine] == [opened], "a draft of another organisation is its own affair"


def test_others_neither_open_nor_save_it(town: Town, opened: int, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        save_application(
            actor=STRANGER, at=now, application_id=opened, version=1, content=content(), idempotency_key="s"
        )
    with pytest.raises(NotPermitted):
        open_application(
            actor=STRANGER, at=now, organisation_id=town.partner_id, content=content(), idempotency_key="o"
        )


def test_a_draft_that_is_given_up_stays_on_record(town: Town, opened: int, now: datetime) -> None:
    discard_application(actor=town.partner, at=now, application_id=opened, version=1, idempotency_key="g")
    assert queries.application(opened).state == "withdrawn"
    with pytest.raises(ApplicationNotEditable):
        discard_application(actor=town.partner, at=now, application_id=opened, version=1, idempotency_key="h")


def test_the_classes_are_those_that_the_rules_name_with_their_source(town: Town, now: datetime) -> None:
    found = queries.scenario_classes(at=now)
    assert [(one.code, one.name_zh, one.name_en) for one in found] == [
        ("everyday", "日常场景", "Everyday scenario"),
        ("venture", "专项", "Venture"),
    ]
    assert {one.certifiable for one in found} == {None}
