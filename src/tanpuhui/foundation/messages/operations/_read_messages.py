from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.messages.models import Message
from tanpuhui.foundation.messages.queries import own_id


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRead:
    """How many messages were unread until now."""

    user_id: int
    read: int


@operation(roles=set(), subject="user:{user_id}")
def read_messages(
    *, actor: Actor, at: datetime, message_ids: Sequence[int] | None = None, up_to: int | None = None
) -> MessagesRead:
    """Mark the person's own messages as read: those named, or all up to the newest that they had before them.

    What came after `up_to` stays unread, because nobody has seen it. Messages of others are not touched. Raises NotPermitted.
    """
    user_id = own_id(actor, operation="read_messages")
    unread = Message.objects.filter(user_id=user_id, read_at__isnull=True)
    if message_ids is not None:
        unread = unread.filter(pk__in=list(message_ids))
    if up_to is not None:
        unread = unread.filter(pk__lte=up_to)
    if message_ids is None and up_to is None:
        unread = unread.none()
    return MessagesRead(user_id=user_id, read=unread.update(read_at=at))
