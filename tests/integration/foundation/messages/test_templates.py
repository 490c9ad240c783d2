"""Wordings are data of the jurisdiction: whole or refused by file and line, dated, and never changed in place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import ProgrammingError, transaction
from tests.integration.foundation.messages.conftest import NEWS, Office

from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.messages import queries
from tanpuhui.foundation.messages.models import Template
from tanpuhui.foundation.messages.operations import TemplateUnknown, load_templates
from tanpuhui.foundation.rulebook.queries import JurisdictionInvalid, RuleInForce

pytestmark = pytest.mark.django_db


def write(office: Office, text: str, *, name: str = "news.yaml") -> None:
    (office.folder / "messages" / name).write_text(text, encoding="utf-8")


def load(office: Office) -> int:
    return load_templates(actor=SYSTEM, at=office.at, folder=office.folder).templates


def test_loading_again_changes_nothing(office: Office) -> None:
    assert Template.objects.count() == 2
    assert load(office) == 0


def test_a_wording_in_force_is_not_changed_in_place(office: Office) -> None:
    write(office, NEWS.replace("已经办好", "办妥了"))
    with pytest.raises(RuleInForce):
        load(office)


def test_another_wording_begins_on_another_day(office: Office) -> None:
    later = NEWS.replace("已经办好", "办妥了").replace("2020-01-01", "2027-01-01")
    write(office, later, name="news-2027.yaml")
    assert load(office) == 1
    before = queries.template_in_force("thing.done", at=office.at)
    after = queries.template_in_force("thing.done", at=datetime(2027, 1, 1, tzinfo=UTC))
    assert (before.sms_zh, after.sms_zh) == ("{name}已经办好。", "{name}办妥了。")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("fields: [thing_id, name]", "fields: [thing_id, name, day]", "day"),
        ("fields: [thing_id, name]", "fields: [thing_id]", "name"),
        ('en: "{name} is done"', 'en: "{name.title} is done"', "plain field"),
        ('    sms: {zh: "{name}已经办好。"}\n', "", "sms"),
        ("/w/things/{thing_id}", "https://elsewhere.example/{thing_id}", "slash"),
        ("/w/things/{thing_id}", "//elsewhere.example/{thing_id}", "slash"),
        ("mail: unless_declined", "mail: always", "always"),
        ("audience: everybody", "audience: nobody", "nobody"),
        (', en: "{name} has been dealt with."', "", "en"),
    ],
)  # fmt: skip
def test_half_a_wording_is_refused_by_its_line(office: Office, old: str, new: str, why: str) -> None:
    assert old in NEWS
    write(office, NEWS.replace(old, new))
    with pytest.raises(JurisdictionInvalid) as refused:
        load(office)
    assert why in str(refused.value.data["why"])
    assert int(str(refused.value.data["line"])) > 1


def test_one_key_does_not_stand_twice_for_one_day(office: Office) -> None:
    write(office, NEWS, name="twice.yaml")
    with pytest.raises(JurisdictionInvalid, match="stands twice"):
        load(office)


def test_a_message_that_nobody_wrote_is_refused_by_name(office: Office) -> None:
    with pytest.raises(TemplateUnknown, match=r"thing\.lost"):
        queries.template_in_force("thing.lost", at=office.at)


def test_before_its_day_a_wording_is_not_in_force(office: Office) -> None:
    with pytest.raises(TemplateUnknown):
        queries.template_in_force("thing.done", at=datetime(2019, 12, 31, tzinfo=UTC))


def test_the_database_keeps_a_wording_as_it_is(office: Office) -> None:
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Template.objects.update(title_zh="别的")
