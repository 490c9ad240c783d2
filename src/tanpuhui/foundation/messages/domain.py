"""What a message is made of, which way it takes and when it is tried again (消息). Pure: texts and times in, verdicts out."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal

ATTEMPTS_MAX = 8
FIRST_WAIT = timedelta(minutes=1)
WAIT_FACTOR = 4
WAIT_MAX = timedelta(hours=6)
ADDRESS_CONFIRM_HOURS = 24
MAIL_LENGTH_MAX = 254
"""The longest mail address that a mail server must take (RFC 5321, 4.5.3.1, as corrected by its erratum 1690)."""


class Channel(StrEnum):
    """Ways that lead out of the platform (通知方式); inside it a message always stands in the person's list."""

    MAIL = "mail"
    SMS = "sms"


class Offer(StrEnum):
    """Whether a kind of message leaves by a channel: unless declined, only if asked for, or not at all."""

    UNLESS_DECLINED = "unless_declined"
    ON_REQUEST = "on_request"
    NEVER = "never"


class Audience(StrEnum):
    """Whose preferences list a kind: people of organisations, citizens, or both."""

    ORGANISATIONS = "organisations"
    CITIZENS = "citizens"
    EVERYBODY = "everybody"


class DeliveryState(StrEnum):
    """Where a delivery stands: to be tried, taken by the gateway, or given up."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


class TemplateUnknown(Refusal):
    """No wording of this message is in force."""

    code = "TEMPLATE_UNKNOWN"
    zh = "消息 {key} 在 {day} 没有生效的文本。请在辖区资料的 messages 文件夹中写明并装载。"
    en = "No wording of the message {key} is in force on {day}. Write it in the jurisdiction's messages folder and load it."


class TemplateDataWrong(Refusal):
    """The wording asks for other fields than were given; half a sentence is never sent."""

    code = "TEMPLATE_DATA_WRONG"
    zh = "消息 {key} 的字段不对：缺少 {missing}，多出 {unknown}。没有发出。"
    en = "The fields of the message {key} are wrong: missing {missing}, unknown {unknown}. Nothing was sent."


class MailNotConfigured(Refusal):
    """No way to send mail is set."""

    code = "MAIL_NOT_CONFIGURED"
    zh = "没有配置邮件通道。请运维人员设置 TANPUHUI_MAIL。"
    en = "No way to send mail is configured. The operator sets TANPUHUI_MAIL."
    retryable = True


class MailAddressWrong(Refusal):
    """That is no mail address."""

    code = "MAIL_ADDRESS_WRONG"
    zh = "这不是一个邮箱地址。请写成 name@example.com 的样子。"
    en = "That is no mail address. Write it like name@example.com."


class ConfirmationExpired(Refusal):
    """The link belongs to another person or address, or is too old."""

    code = "CONFIRMATION_EXPIRED"
    zh = "这个确认链接已失效，或不是发给你现在填写的邮箱。请在消息设置里重新发送。"
    en = "This link is too old, or belongs to another address than the one you entered. Have it sent again."


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """What one file of messages/ says of its kind: how it is called, whom it concerns, which ways it offers."""

    kind: str
    label_zh: str
    label_en: str
    audience: Audience
    mail: Offer
    sms: Offer
    valid_from: date


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRow:
    """One wording: its key, the fields it is filled with, title and body in both languages, text message, address."""

    key: str
    kind: KindRow
    fields: tuple[str, ...]
    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    sms_zh: str
    link: str

    def sha256(self) -> str:
        """Return a hash of everything this wording says."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    @property
    def texts(self) -> tuple[str, ...]:
        """Return every text that has fields in it."""
        return (self.title_zh, self.title_en, self.body_zh, self.body_en, self.sms_zh, self.link)


def fields_in(text: str) -> frozenset[str]:
    """Return the names between braces; raises ValueError for anything but a plain name between them."""
    names = set()
    for _, name, form, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            message = f"{{{name}}} is not a plain field"
            raise ValueError(message)
        names.add(name)
    return frozenset(names)


def check_data(key: str, fields: Iterable[str], data: Mapping[str, object]) -> None:
    """Refuse data that does not have exactly the fields of the wording. Raises TemplateDataWrong."""
    wanted = set(fields)
    if wanted != data.keys():
        raise TemplateDataWrong(
            key=key,
            missing=", ".join(sorted(wanted - data.keys())) or "—",
            unknown=", ".join(sorted(data.keys() - wanted)) or "—",
        )


def filled(text: str, data: Mapping[str, str]) -> str:
    """Fill a text with its fields; raises KeyError for one that is missing."""
    return text.format_map(data)


def goes_by(offer: Offer, *, choice: bool | None) -> bool:
    """Say whether a message takes a channel: what the person chose, else what its kind says."""
    if offer == Offer.NEVER:
        return False
    return offer == Offer.UNLESS_DECLINED if choice is None else choice


def next_attempt(attempts: int, *, at: datetime) -> datetime:
    """Return when a delivery is tried again after so many attempts: one minute, then four times as long each time."""
    return at + min(FIRST_WAIT * int(WAIT_FACTOR ** (attempts - 1)), WAIT_MAX)


def checked_address(text: str) -> str:
    """Return a mail address without blank edges; whether it exists is shown by the confirmation. Raises MailAddressWrong."""
    address = text.strip()
    name, at, host = address.rpartition("@")
    plain = address.isascii() and address.isprintable() and not any(c in address for c in ' ,;<>()[]\\"')
    if not (plain and name and at and "@" not in name and len(address) <= MAIL_LENGTH_MAX):
        raise MailAddressWrong
    labels = host.split(".")
    if len(labels) < 2 or not all(
        part and part.replace("-", "").isalnum() and part.strip("-") == part for part in labels
    ):
        raise MailAddressWrong
    return address


def masked_address(address: str) -> str:
    """Return a mail address of which only the first character and the host can be read."""
    name, _, host = address.rpartition("@")
    return f"{name[:1]}***@{host}"
