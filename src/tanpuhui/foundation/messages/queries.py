"""Reads of messages: a person's list and what is unread, kinds and choices, what is due to leave, letters as they leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Max, QuerySet

from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.messages.adapters.mail import mail_configured
from tanpuhui.foundation.messages.domain import (
    Audience,
    Channel,
    DeliveryState,
    Offer,
    TemplateUnknown,
    filled,
    goes_by,
    masked_address,
)
from tanpuhui.foundation.messages.models import ChannelChoice, Delivery, MailAddress, Message, Template
from tanpuhui.foundation.rulebook.queries import jurisdiction

__all__ = [
    "Audience",
    "Channel",
    "KindView",
    "Letter",
    "MessageView",
    "Offer",
    "Preferences",
    "due_deliveries",
    "events_told",
    "kinds",
    "letter",
    "message",
    "messages_of",
    "own_id",
    "preferences",
    "template_in_force",
    "unread",
]

UNREAD_SHOWN_MAX = 99
"""More than so many unread messages are not counted: the number would say no more."""

_HOW_ZH = "在平台的“我的身份 → 消息设置”里可以改变通知方式。"
_HOW_EN = "You can change how you are told under “My identity → Messages” on the platform."


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One message as its reader sees it, in both languages."""

    id: int
    kind: str
    kind_zh: str
    kind_en: str
    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    link: str
    at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindView:
    """A kind of message in force, and the ways out that it offers."""

    kind: str
    label_zh: str
    label_en: str
    audience: Audience
    mail: Offer
    sms: Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a person chose: by (kind, channel) whether it is wanted, for every channel that is offered; and the ways to them.

    `mail_state` is none, unconfirmed or confirmed; `channels` are the ways out that this platform is set up for.
    """

    kinds: tuple[KindView, ...]
    wanted: dict[tuple[str, str], bool]
    channels: tuple[Channel, ...]
    masked_mail: str
    mail_state: str
    has_phone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One delivery as it leaves: `address`, `subject` and `body` of a mail; `text` of a text message, without its sender."""

    channel: Channel
    user_id: int
    address: str
    subject: str
    body: str
    text: str


def own_id(actor: Actor, *, operation: str) -> int:
    """Return the person who acts; messages belong to persons. Raises NotPermitted for anybody else."""
    if actor.kind != "user":
        raise NotPermitted(operation=operation)
    return int(actor.id)


def unread(user_id: int) -> int:
    """Return how many messages a person has not read, at most UNREAD_SHOWN_MAX + 1 (one query)."""
    return Message.objects.filter(user_id=user_id, read_at__isnull=True)[: UNREAD_SHOWN_MAX + 1].count()


def people_told(user_ids: Iterable[int]) -> frozenset[int]:
    """Return which of these people a message, a delivery choice or a mail address is kept of."""
    several = list(user_ids)
    kept = (model.objects.filter(user_id__in=several) for model in (Message, ChannelChoice, MailAddress))
    return frozenset(user_id for rows in kept for user_id in rows.values_list("user_id", flat=True))


def messages_of(user_id: int, *, kind: str = "", only_unread: bool = False) -> QuerySet[Message]:
    """Return a person's messages, newest first, for paging; `view_of` makes them readable."""
    rows = Message.objects.filter(user_id=user_id).select_related("template").order_by("-id")
    if kind:
        rows = rows.filter(template__kind=kind)
    return rows.filter(read_at__isnull=True) if only_unread else rows


def message(user_id: int, message_id: int) -> MessageView:
    """Return one message of a person. Raises NotFound, also for another person's."""
    row = Message.objects.filter(user_id=user_id, pk=message_id).select_related("template").first()
    if row is None:
        raise NotFound(what="消息 / message", id=message_id)
    return view_of(row)


def view_of(row: Message) -> MessageView:
    """Return a message with its wording filled, as it was in force when the person was told."""
    wording = row.template
    return MessageView(
        id=row.pk,
        kind=wording.kind,
        kind_zh=wording.label_zh,
        kind_en=wording.label_en,
        title_zh=filled(wording.title_zh, row.data),
        title_en=filled(wording.title_en, row.data),
        body_zh=filled(wording.body_zh, row.data),
        body_en=filled(wording.body_en, row.data),
        link=row.link,
        at=row.at,
        read_at=row.read_at,
    )


def events_told(events: Sequence[str]) -> frozenset[str]:
    """Return which of these events somebody has been told of already."""
    return frozenset(Message.objects.filter(event__in=events).values_list("event", flat=True).distinct())


def template_in_force(key: str, *, at: datetime) -> Template:
    """Return the wording of a message on the business day of `at`. Raises TemplateUnknown."""
    day = business_day(at)
    row = Template.objects.filter(key=key, valid_from__lte=day).order_by("-valid_from").first()
    if row is None:
        raise TemplateUnknown(key=key, day=day.isoformat())
    return row


def kinds(*, at: datetime, audience: Audience | None = None) -> tuple[KindView, ...]:
    """Return the kinds of message in force, by name; those that concern an audience where one is given."""
    in_force = Template.objects.filter(valid_from__lte=business_day(at))
    newest = in_force.values("kind").annotate(newest=Max("valid_from")).values_list("kind", "newest")
    since = dict(newest)
    found = {
        row.kind: KindView(
            kind=row.kind,
            label_zh=row.label_zh,
            label_en=row.label_en,
            audience=Audience(row.audience),
            mail=Offer(row.mail),
            sms=Offer(row.sms),
        )
        for row in in_force.order_by("kind", "id")
        if row.valid_from == since[row.kind]
    }
    return tuple(
        view for view in found.values() if audience is None or view.audience in {audience, Audience.EVERYBODY}
    )


def preferences(user_id: int, *, at: datetime, audience: Audience) -> Preferences:
    """Return what a person chose, or what holds where they chose nothing, and by which ways they can be reached."""
    chosen = {
        (kind, channel): wanted
        for kind, channel, wanted in ChannelChoice.objects.filter(user_id=user_id).values_list(
            "kind", "channel", "wanted"
        )
    }
    views = kinds(at=at, audience=audience)
    address = MailAddress.objects.filter(user_id=user_id).first()
    available = {Channel.MAIL: mail_configured(), Channel.SMS: identity.texts_can_be_sent()}
    return Preferences(
        kinds=views,
        wanted={
            (view.kind, channel.value): goes_by(offer, choice=chosen.get((view.kind, channel.value)))
            for view in views
            for channel, offer in ((Channel.MAIL, view.mail), (Channel.SMS, view.sms))
            if offer != Offer.NEVER
        },
        channels=tuple(channel for channel in Channel if available[channel]),
        masked_mail=masked_address(str(address.address_sealed)) if address else "",
        mail_state="none" if address is None else "confirmed" if address.confirmed_at else "unconfirmed",
        has_phone=user_id in identity.users_with_phone([user_id]),
    )


def due_deliveries(*, at: datetime, limit: int) -> tuple[int, ...]:
    """Return the deliveries whose turn has come, the longest due first."""
    rows = Delivery.objects.filter(state=DeliveryState.WAITING.value, next_attempt_at__lte=at)
    return tuple(rows.order_by("next_attempt_at", "id").values_list("id", flat=True)[:limit])


def letter(delivery_id: int) -> Letter:
    """Return a delivery as it leaves: Chinese first, English beneath, and the address of the page. Raises NotFound."""
    row = Delivery.objects.select_related("message__template").filter(pk=delivery_id).first()
    if row is None:
        raise NotFound(what="投递 / delivery", id=delivery_id)
    view = view_of(row.message)
    place = jurisdiction()
    url = f"{settings.TANPUHUI_PUBLIC_URL}{view.link}"
    address = MailAddress.objects.filter(user_id=row.message.user_id, confirmed_at__isnull=False).first()
    return Letter(
        channel=Channel(row.channel),
        user_id=row.message.user_id,
        address=str(address.address_sealed) if address else "",
        subject=f"{view.title_zh}（{place.scheme_zh}）",
        body=f"{view.body_zh}\n\n{url}\n\n{_HOW_ZH}\n\n————\n{view.title_en}\n\n{view.body_en}\n\n{_HOW_EN}\n",
        text=filled(row.message.template.sms_zh, row.message.data),
    )
