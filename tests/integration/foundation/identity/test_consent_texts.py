"""What people consent to has versions that never change, and each consent is recorded with the hash of the one in force."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from tanpuhui.foundation.identity import queries
from tanpuhui.foundation.identity.models import Consent, ConsentText
from tanpuhui.foundation.identity.operations import (
    ConsentTextChanged,
    ConsentTextMissing,
    NewCitizen,
    give_consent,
    give_consents,
    load_consent_texts,
    register_citizens,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.rulebook.queries import JurisdictionInvalid, RuleInForce

pytestmark = pytest.mark.django_db
SHIPPED = "scenario-2026-1.yaml"


@pytest.fixture
def citizen(now: datetime) -> Actor:
    people = [NewCitizen(phone="13900000001", display_name="甲", area="990102")]
    (user_id,) = register_citizens(actor=SYSTEM, at=now, citizens=people).user_ids
    return Actor(kind="user", id=str(user_id), grants=(Grant(role=Role.CITIZEN, area="990102"),))


@pytest.fixture
def folder(invented_jurisdiction: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "province"
    shutil.copytree(invented_jurisdiction, copy)
    return copy


def write(folder: Path, *, version: str, day: str, instead: tuple[str, str] = ("", "")) -> None:
    shipped = (folder / "consents" / SHIPPED).read_text("utf-8")
    changed = shipped.replace("2026-1", version).replace("2018-01-01", day).replace(*instead)
    (folder / "consents" / f"scenario-{version}.yaml").write_text(changed, "utf-8")


def load(folder: Path, at: datetime) -> int:
    return load_consent_texts(actor=SYSTEM, at=at, folder=folder).texts


def said(user_id: int) -> list[tuple[str, str]]:
    rows = Consent.objects.filter(user_id=user_id, scenario="bus").order_by("given_at")
    return list(rows.values_list("text_version", "text_sha256"))


def test_without_a_wording_nobody_can_consent(citizen: Actor, now: datetime) -> None:
    with pytest.raises(ConsentTextMissing):
        give_consent(actor=citizen, at=now, user_id=int(citizen.id), scenario="bus")
    assert not Consent.objects.exists()


def test_a_consent_names_the_version_in_force_and_its_hash(
    folder: Path, citizen: Actor, now: datetime
) -> None:
    write(folder, version="2026-2", day="2026-11-21", instead=("不卖给任何人", "也不卖给任何人"))
    assert load(folder, now) == 2
    first, second = queries.consent_texts(queries.SCENARIO)
    assert first.sha256() != second.sha256()
    user_id, tomorrow = int(citizen.id), now + timedelta(days=1)
    with pytest.raises(ConsentTextChanged):
        give_consent(actor=citizen, at=now, user_id=user_id, scenario="bus", text_version="2026-2")
    give_consent(actor=citizen, at=now, user_id=user_id, scenario="bus", text_version="2026-1")
    with pytest.raises(ConsentTextChanged):
        give_consent(actor=citizen, at=tomorrow, user_id=user_id, scenario="bus", text_version="2026-1")
    give_consent(actor=citizen, at=tomorrow, user_id=user_id, scenario="bus")
    assert said(user_id) == [("2026-1", first.sha256()), ("2026-2", second.sha256())]
    assert queries.consents_of(user_ids=[user_id], scenario="bus") == {
        user_id: ((now, tomorrow), (tomorrow, None))
    }


def test_a_text_given_elsewhere_is_named_and_its_hash_recorded_only_where_it_stands_here(
    folder: Path, citizen: Actor, now: datetime
) -> None:
    load(folder, now)
    ids, text = [int(citizen.id)], queries.consent_text(queries.SCENARIO, at=now)
    give_consents(actor=SYSTEM, at=now, user_ids=ids, scenario="bus", text_version="elsewhere-3")
    give_consents(actor=SYSTEM, at=now, user_ids=ids, scenario="bike", text_version="2026-1")
    assert said(ids[0]) == [("elsewhere-3", "")]
    assert Consent.objects.get(scenario="bike").text_sha256 == text.sha256()
    assert not list(queries.consent_text_breaches())


def test_loading_again_changes_nothing_and_another_text_needs_another_version(
    folder: Path, now: datetime
) -> None:
    assert (load(folder, now), load(folder, now)) == (1, 0)
    path = folder / "consents" / SHIPPED
    path.write_text(path.read_text("utf-8").replace("不卖给任何人", "可以出售"), "utf-8")
    with pytest.raises(RuleInForce):
        load(folder, now)
    path.unlink()
    assert load(folder, now) == 0
    assert "不卖给任何人" in str(queries.consent_text(queries.SCENARIO, at=now).zh)


@pytest.mark.parametrize("wrong", ["{who}", "{name", "{}"])
def test_a_place_that_nothing_fills_is_refused(folder: Path, now: datetime, wrong: str) -> None:
    path = folder / "consents" / SHIPPED
    path.write_text(path.read_text("utf-8").replace("{partners}", wrong), "utf-8")
    with pytest.raises(JurisdictionInvalid):
        load(folder, now)


def test_one_version_and_one_day_stand_once(folder: Path, now: datetime) -> None:
    write(folder, version="2026-2", day="2018-01-01")
    with pytest.raises(JurisdictionInvalid):
        load(folder, now)
    assert not ConsentText.objects.exists()


def test_a_spoilt_wording_and_a_spoilt_consent_are_found(folder: Path, citizen: Actor, now: datetime) -> None:
    load(folder, now)
    give_consent(actor=citizen, at=now, user_id=int(citizen.id), scenario="bus")
    assert not list(queries.breaches())
    Consent.objects.update(text_sha256="0" * 64)
    assert [one.invariant for one in queries.breaches()] == ["consent_names_its_text"]
    Consent.objects.update(text_version="1999-1")
    assert [one.detail for one in queries.breaches()] == ["there is no such version"]
    Consent.objects.update(text_sha256="")
    with connection.cursor() as cursor:
        cursor.execute("alter table identity_consenttext disable trigger user")
        cursor.execute("update identity_consenttext set valid_from = valid_from + 1")
        cursor.execute("alter table identity_consenttext enable trigger user")
    assert [one.invariant for one in queries.breaches()] == ["consent_text_is_unchanged"]
