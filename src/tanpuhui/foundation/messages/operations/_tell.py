from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.operations import open_people
from tanpuhui.foundation.messages.adapters.mail import mail_configured
from tanpuhui.foundation.messages.domain import Channel, DeliveryState, Offer, check_data, filled, goes_by
from tanpuhui.foundation.messages.models import ChannelChoice, Delivery, MailAddress, Template
from tanpuhui.foundation.messages.queries import template_in_force
from tanpuhui.foundation.persistence.jobs import defer

DELIVER = "messages.deliver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who was told now; who had been told of this event before is left out. `deliveries` leave the platform."""

    user_ids: tuple[int, ...]
    deliveries: int


def tell(
    *,
    at: datetime,
    user_ids: Iterable[int],
    template: str,
    data: Mapping[str, object],
    link: str = "",
    event: str = "",
) -> Told:
    """Tell people something, in the caller's transaction: one message for each, and a delivery for each way it leaves by.

    `data` has exactly the fields of the wording in force. `event` names what happened (`decision:12`): nobody is told
    twice of one event; without it the wording, the moment and the link are the event. `link` leads elsewhere than the
    wording says. Whoever closed their account is told nothing more. A building block: who calls it has said who may. Raises TemplateUnknown, TemplateDataWrong.
    """
    if not connection.in_atomic_block:
        message = "people are told inside the transaction that makes it true"
        raise RuntimeError(message)
    wording = template_in_force(template, at=at)
    check_data(template, wording.fields, data)
    texts = {name: str(value) for name, value in data.items()}
    leads_to = link or filled(wording.link, texts)
    people = sorted(open_people(set(user_ids)))
    if not people:
        return Told(user_ids=(), deliveries=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into messaging_message (user_id, event, template_id, data, link, at)"
            " select u, %s, %s, %s::jsonb, %s, %s from unnest(%s::bigint[]) u"
            " on conflict (event, user_id) do nothing returning user_id, id",
            [
                event or f"{template}@{at.isoformat()}:{leads_to}",
                wording.pk,
                json.dumps(texts, ensure_ascii=False),
                leads_to,
                at,
                people,
            ],
        )
        message_of = dict(cursor.fetchall())
    deliveries = _deliveries(wording, message_of, at=at)
    if deliveries:
        defer(DELIVER, delivery_ids=[delivery.pk for delivery in deliveries])
    return Told(user_ids=tuple(sorted(message_of)), deliveries=len(deliveries))


def _deliveries(wording: Template, message_of: Mapping[int, int], *, at: datetime) -> Sequence[Delivery]:
    """Write a delivery for everybody whom a channel reaches and who wants it."""
    offers = {Channel.MAIL: Offer(wording.mail), Channel.SMS: Offer(wording.sms)}
    if not message_of or all(offer == Offer.NEVER for offer in offers.values()):
        return ()
    chosen = {
        (user_id, channel): wanted
        for user_id, channel, wanted in ChannelChoice.objects.filter(
            user_id__in=message_of, kind=wording.kind
        ).values_list("user_id", "channel", "wanted")
    }
    return Delivery.objects.bulk_create(
        Delivery(
            message_id=message_of[user_id],
            channel=channel.value,
            state=DeliveryState.WAITING.value,
            next_attempt_at=at,
        )
        for channel, offer in offers.items()
        for user_id in sorted(reached(channel, message_of))
        if goes_by(offer, choice=chosen.get((user_id, channel.value)))
    )


def reached(channel: Channel, user_ids: Iterable[int]) -> frozenset[int]:
    """Return whom of these people a channel reaches: it is set up, and they gave an address or a phone."""
    if channel == Channel.SMS:
        return identity.users_with_phone(user_ids) if identity.texts_can_be_sent() else frozenset()
    if not mail_configured():
        return frozenset()
    rows = MailAddress.objects.filter(user_id__in=list(user_ids), confirmed_at__isnull=False)
    return frozenset(rows.values_list("user_id", flat=True))
