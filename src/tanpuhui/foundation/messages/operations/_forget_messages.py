"""Forget what somebody was told (清除消息), with the letters that still wait: a step of closing an account."""

from __future__ import annotations

from django.db import transaction

from tanpuhui.foundation.messages.adapters.mail import forget_mail
from tanpuhui.foundation.messages.models import ChannelChoice, Delivery, MailAddress, Message


def forget_messages(user_id: int) -> int:
    """Delete a person's messages, deliveries, choices and mail address, and return how many messages there were.

    A building block (RuntimeError outside a transaction is Django's). Letters that left are with whoever carried them.
    """
    Delivery.objects.filter(message__user_id=user_id).delete()
    count, _ = Message.objects.filter(user_id=user_id).delete()
    ChannelChoice.objects.filter(user_id=user_id).delete()
    row = MailAddress.objects.filter(user_id=user_id).first()
    if row is not None:
        address = str(row.address_sealed)
        row.delete()
        transaction.on_commit(lambda: forget_mail(address))
    return count
