"""People are told once of one event, inside the transaction that makes it true, by the ways they want."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings
from tests.integration.foundation.messages.conftest import DATA, Office

from tanpuhui.foundation.kernel.actors import SYSTEM, Actor
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.messages import queries
from tanpuhui.foundation.messages.domain import ATTEMPTS_MAX
from tanpuhui.foundation.messages.models import Delivery, MailAddress, Message
from tanpuhui.foundation.messages.operations import (
    ConfirmationExpired,
    MailNotConfigured,
    TemplateDataWrong,
    Told,
    choose_channels,
    confirm_mail_address,
    deliver,
    give_mail_address,
    read_messages,
    remove_mail_address,
    send_confirmation,
    tell,
)
from tanpuhui.foundation.messages.queries import Audience

pytestmark = pytest.mark.django_db


def say(office: Office, *people: int, key: str = "thing.done", event: str = "thing:7") -> Told:
    with transaction.atomic():
        return tell(at=office.at, user_ids=people, template=key, data=DATA, event=event)


def confirmed(office: Office, user_id: int, address: str = "wang@example.com") -> None:
    give_mail_address(actor=office.actor(user_id), at=office.at, address=address)
    MailAddress.objects.filter(user_id=user_id).update(confirmed_at=office.at)


def views(user_id: int) -> list[queries.MessageView]:
    return [queries.view_of(row) for row in queries.messages_of(user_id)]


def test_everybody_has_the_sentence_in_both_languages_and_where_it_leads(office: Office) -> None:
    assert say(office, office.wang, office.li).user_ids == (office.wang, office.li)
    (view,) = views(office.li)
    assert (view.title_zh, view.title_en) == ("一件事办好了", "一件事 is done")
    assert view.link == "/w/things/7"
    assert queries.unread(office.li) == 1


def test_nobody_is_told_twice_of_one_event_and_a_newcomer_still_is(office: Office) -> None:
    say(office, office.wang)
    assert say(office, office.wang, office.li).user_ids == (office.li,)
    assert Message.objects.count() == 2


def test_data_that_does_not_fit_tells_nobody_anything(office: Office) -> None:
    with pytest.raises(TemplateDataWrong), transaction.atomic():
        tell(at=office.at, user_ids=[office.wang], template="thing.done", data={"name": "一件事"})
    assert not Message.objects.exists()


def test_telling_nobody_is_allowed_and_does_nothing(office: Office) -> None:
    assert say(office) == Told(user_ids=(), deliveries=0)


def test_what_was_told_vanishes_with_the_transaction(office: Office) -> None:
    confirmed(office, office.wang)
    with transaction.atomic():
        say(office, office.wang)
        transaction.set_rollback(True)
    assert not Message.objects.exists()
    assert not ProcrastinateJob.objects.filter(task_name="messages.deliver").exists()


def test_the_number_of_queries_does_not_grow_with_the_number_of_people(office: Office) -> None:
    counts = []
    for people in ((office.wang,), (office.wang, office.li, office.citizen)):
        with CaptureQueriesContext(connection) as captured:
            say(office, *people, event=f"thing:{len(people)}")
        counts.append(len(captured))
    assert counts[1] <= counts[0] + 2 <= 12, "one insert of deliveries and one job, however many people"


def test_mail_goes_to_a_confirmed_address_and_a_text_to_a_phone(office: Office) -> None:
    give_mail_address(actor=office.actor(office.li), at=office.at, address="li@example.com")
    confirmed(office, office.wang)
    say(office, office.wang, office.li, office.citizen)
    found = set(Delivery.objects.values_list("message__user_id", "channel"))
    assert found == {(office.wang, "mail"), (office.citizen, "sms")}
    job = ProcrastinateJob.objects.get(task_name="messages.deliver")
    assert sorted(job.args["delivery_ids"]) == sorted(Delivery.objects.values_list("pk", flat=True))


def test_a_channel_that_is_not_set_up_gets_no_deliveries(office: Office, settings: Settings) -> None:
    confirmed(office, office.wang)
    settings.TANPUHUI_MAIL, settings.TANPUHUI_SMS, settings.TANPUHUI_DEMO = "", "", False
    assert say(office, office.wang, office.citizen).deliveries == 0
    with pytest.raises(MailNotConfigured):
        give_mail_address(actor=office.actor(office.li), at=office.at, address="li@example.com")


def test_a_person_declines_what_comes_by_itself_and_asks_for_what_does_not(office: Office) -> None:
    confirmed(office, office.wang)
    choose_channels(
        actor=office.actor(office.wang),
        at=office.at,
        choices={"news": {"mail": False, "sms": True}, "task": {"mail": True}},
    )
    say(office, office.wang)
    assert not Delivery.objects.exists()
    say(office, office.wang, key="thing.waiting", event="thing:8")
    assert Delivery.objects.get().channel == "mail"
    kept = queries.preferences(office.wang, at=office.at, audience=Audience.ORGANISATIONS)
    assert kept.wanted == {("news", "mail"): False, ("news", "sms"): True, ("task", "mail"): True}


@pytest.mark.parametrize(
    "choices", [{"task": {"sms": True}}, {"lost": {"mail": True}}, {"news": {"pigeon": True}}]
)
def test_what_is_not_offered_cannot_be_chosen(office: Office, choices: dict[str, dict[str, bool]]) -> None:
    with pytest.raises(Invalid):
        choose_channels(actor=office.actor(office.wang), at=office.at, choices=choices)


def test_a_letter_is_chinese_first_with_english_beneath_and_the_page_to_open(office: Office) -> None:
    confirmed(office, office.wang)
    say(office, office.wang)
    assert deliver(delivery_id=Delivery.objects.get().pk, at=office.at) == "sent"
    (sent,) = mail.outbox
    assert sent.to == ["wang@example.com"]
    assert sent.subject.startswith("一件事办好了")
    assert (
        sent.body.index("一件事已经办好。")
        < sent.body.index("/w/things/7")
        < sent.body.index("has been dealt")
    )


def test_a_text_message_carries_the_name_of_the_scheme(office: Office, tmp_path: Path) -> None:
    say(office, office.citizen)
    assert deliver(delivery_id=Delivery.objects.get().pk, at=office.at) == "sent"
    line = (tmp_path / "data" / "outbox" / "sms.log").read_text(encoding="utf-8")
    assert "13900000001" in line
    assert "】一件事已经办好。" in line


def test_a_failing_gateway_loses_nothing_and_is_tried_again_later(
    office: Office, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    confirmed(office, office.wang)
    say(office, office.wang)
    row = Delivery.objects.get()
    settings.TANPUHUI_MAIL = f"{__name__}.Refusing"
    with caplog.at_level(logging.WARNING):
        assert deliver(delivery_id=row.pk, at=office.at) == "waiting"
    row.refresh_from_db()
    assert (row.attempts, row.last_error) == (1, "ConnectionRefusedError")
    assert "wang@example.com" not in caplog.text, "no address stands in a log"
    assert deliver(delivery_id=row.pk, at=office.at) == "", "not before its time"
    assert queries.due_deliveries(at=office.at, limit=9) == ()
    settings.TANPUHUI_MAIL = "django.core.mail.backends.locmem.EmailBackend"
    later = office.at + timedelta(minutes=2)
    assert queries.due_deliveries(at=later, limit=9) == (row.pk,)
    assert deliver(delivery_id=row.pk, at=later) == "sent"
    assert len(mail.outbox) == 1


def test_after_the_last_attempt_a_delivery_is_given_up(office: Office, settings: Settings) -> None:
    confirmed(office, office.wang)
    say(office, office.wang)
    row, at = Delivery.objects.get(), office.at
    settings.TANPUHUI_MAIL = f"{__name__}.Refusing"
    states = []
    for _ in range(ATTEMPTS_MAX + 1):
        states.append(deliver(delivery_id=row.pk, at=at))
        at += timedelta(hours=7)
    assert states == ["waiting"] * (ATTEMPTS_MAX - 1) + ["given_up", ""]
    assert queries.unread(office.wang) == 1, "inside the platform it stands"


def test_a_mistake_in_a_gateway_is_loud_and_still_counts_as_an_attempt(
    office: Office, settings: Settings
) -> None:
    confirmed(office, office.wang)
    say(office, office.wang)
    row = Delivery.objects.get()
    settings.TANPUHUI_MAIL = f"{__name__}.Broken"
    with pytest.raises(ZeroDivisionError):
        deliver(delivery_id=row.pk, at=office.at)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("waiting", 1)


def test_who_took_the_address_back_gets_no_more_mail(office: Office) -> None:
    confirmed(office, office.wang)
    say(office, office.wang)
    remove_mail_address(actor=office.actor(office.wang), at=office.at)
    assert deliver(delivery_id=Delivery.objects.get().pk, at=office.at) == "given_up"
    assert mail.outbox == []


def test_only_own_messages_are_read_and_what_came_later_stays_unread(office: Office) -> None:
    say(office, office.wang, office.li)
    (seen,) = views(office.wang)
    say(office, office.wang, event="thing:9")
    done = read_messages(actor=office.actor(office.wang), at=office.at, up_to=seen.id)
    assert done.read == 1
    assert (queries.unread(office.wang), queries.unread(office.li)) == (1, 1)
    others = [view.id for view in views(office.li)]
    assert read_messages(actor=office.actor(office.wang), at=office.at, message_ids=others).read == 0
    with pytest.raises(NotFound):
        queries.message(office.wang, others[0])


def test_messages_are_for_persons(office: Office) -> None:
    for actor in (SYSTEM, Actor(kind="partner", id="1")):
        with pytest.raises(NotPermitted):
            read_messages(actor=actor, at=office.at, up_to=1)


def test_an_address_is_used_after_its_owner_opened_the_letter(office: Office) -> None:
    actor = office.actor(office.wang)
    give_mail_address(actor=actor, at=office.at, address="wang@example.com")
    send_confirmation(user_id=office.wang, path="/w/confirm")
    token = token_in(mail.outbox[0].body)
    assert confirm_mail_address(actor=actor, at=office.at, token=token).state == "confirmed"
    say(office, office.wang)
    assert Delivery.objects.get().channel == "mail"


def test_a_letter_to_another_address_or_person_or_an_old_one_confirms_nothing(office: Office) -> None:
    wang, li = office.actor(office.wang), office.actor(office.li)
    give_mail_address(actor=wang, at=office.at, address="wang@example.com")
    send_confirmation(user_id=office.wang, path="/w/confirm")
    token = token_in(mail.outbox[0].body)
    give_mail_address(actor=li, at=office.at, address="wang@example.com")
    for actor, at, wrong in (
        (li, office.at, token),
        (wang, office.at + timedelta(hours=25), token),
        (wang, office.at, token[:-2] + "xx"),
    ):
        with pytest.raises(ConfirmationExpired):
            confirm_mail_address(actor=actor, at=at, token=wrong)
    give_mail_address(actor=wang, at=office.at + timedelta(seconds=1), address="other@example.com")
    with pytest.raises(ConfirmationExpired):
        confirm_mail_address(actor=wang, at=office.at, token=token)
    assert not MailAddress.objects.filter(confirmed_at__isnull=False).exists()


def test_the_database_holds_no_address_in_the_clear(office: Office) -> None:
    confirmed(office, office.wang)
    with connection.cursor() as cursor:
        cursor.execute("select address_sealed from messaging_mailaddress")
        assert b"wang" not in bytes(cursor.fetchone()[0])


def token_in(body: str) -> str:
    return body.split("?token=", 1)[1].split(maxsplit=1)[0]


class Refusing:
    """A mail server that is not there."""

    def __init__(self, **_: Any) -> None:
        pass

    def send_messages(self, _: Any) -> int:
        raise ConnectionRefusedError


class Broken(Refusing):
    """A mail backend with a mistake in it."""

    def send_messages(self, _: Any) -> int:
        return 1 // 0
