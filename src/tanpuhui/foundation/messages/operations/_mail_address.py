"""Where a person reads mail (邮箱): given by them, confirmed through a letter, removed at will."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.operations import hold_open
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.queries import blind_index
from tanpuhui.foundation.messages.adapters.mail import mail_configured, send_mail
from tanpuhui.foundation.messages.domain import (
    ADDRESS_CONFIRM_HOURS,
    ConfirmationExpired,
    MailNotConfigured,
    checked_address,
)
from tanpuhui.foundation.messages.models import MailAddress
from tanpuhui.foundation.messages.queries import own_id
from tanpuhui.foundation.rulebook.queries import jurisdiction

SALT = "tanpuhui.messages.mail_address"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAddressChanged:
    """What is kept of the address now: nothing, one that waits for its confirmation, or a confirmed one."""

    user_id: int
    state: str


@operation(roles=set(), subject="user:{user_id}")
def give_mail_address(*, actor: Actor, at: datetime, address: str) -> MailAddressChanged:
    """Keep an address, sealed and not yet used; the page then sends it a letter with `send_confirmation`.

    Raises NotPermitted, AccountClosed, MailAddressWrong, MailNotConfigured.
    """
    user_id = own_id(actor, operation="give_mail_address")
    if not mail_configured():
        raise MailNotConfigured
    hold_open([user_id])
    MailAddress.objects.update_or_create(
        user_id=user_id,
        defaults={"address_sealed": checked_address(address), "given_at": at, "confirmed_at": None},
    )
    return MailAddressChanged(user_id=user_id, state="unconfirmed")


@operation(roles=set(), subject="user:{user_id}")
def remove_mail_address(*, actor: Actor, at: datetime) -> MailAddressChanged:
    """Forget the person's address. Raises NotPermitted."""
    user_id = own_id(actor, operation="remove_mail_address")
    MailAddress.objects.filter(user_id=user_id).delete()
    return MailAddressChanged(user_id=user_id, state="none")


@operation(roles=set(), subject="user:{user_id}")
def confirm_mail_address(*, actor: Actor, at: datetime, token: str) -> MailAddressChanged:
    """Take the address into use: whoever holds the token has read the letter. Raises NotPermitted, ConfirmationExpired."""
    user_id = own_id(actor, operation="confirm_mail_address")
    row = MailAddress.objects.select_for_update().filter(user_id=user_id).first()
    if row is None:
        raise ConfirmationExpired
    try:
        said = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise ConfirmationExpired from None
    fresh = row.given_at + timedelta(hours=ADDRESS_CONFIRM_HOURS) >= at
    if said != _claim(row) or not fresh:
        raise ConfirmationExpired
    row.confirmed_at = row.confirmed_at or at
    row.save(update_fields=["confirmed_at"])
    return MailAddressChanged(user_id=user_id, state="confirmed")


def send_confirmation(*, user_id: int, path: str) -> None:
    """Send the letter that confirms an address; `path` is the page that takes the token. Raises NotFound, OSError.

    Like a sign-in code it leaves after what it speaks of is committed.
    """
    row = MailAddress.objects.filter(user_id=user_id).first()
    if row is None:
        raise NotFound(what="邮箱 / mail address", id=user_id)
    place = jurisdiction()
    url = f"{settings.TANPUHUI_PUBLIC_URL}{path}?token={signing.dumps(_claim(row), salt=SALT)}"
    zh = (
        f"有人在{place.scheme_zh}平台的消息设置里填写了这个邮箱。\n如果是你，请在 {ADDRESS_CONFIRM_HOURS} 小时内"
        f"登录后打开下面的地址确认；如果不是你，不必理会，我们不会再发来邮件。\n\n{url}"
    )
    en = (
        f"Somebody entered this address on the platform of {place.scheme_en}. If it was you, sign in and open the "
        f"address above within {ADDRESS_CONFIRM_HOURS} hours. If it was not you, do nothing; no more mail will come."
    )
    send_mail(
        address=str(row.address_sealed),
        subject=f"确认邮箱 / Confirm your address — {place.scheme_zh}",
        body=f"{zh}\n\n————\n{en}\n",
    )


def _claim(row: MailAddress) -> list[object]:
    index = blind_index(str(row.address_sealed), purpose="messages.mail_address")
    return [row.user_id, index, row.given_at.isoformat()]
