from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.operations import hold_open
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.messages.domain import Channel, Offer
from tanpuhui.foundation.messages.models import ChannelChoice
from tanpuhui.foundation.messages.queries import kinds, own_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsChosen:
    """The person's choices are kept."""

    user_id: int
    chosen: int


@operation(roles=set(), subject="user:{user_id}")
def choose_channels(
    *, actor: Actor, at: datetime, choices: Mapping[str, Mapping[str, bool]]
) -> ChannelsChosen:
    """Keep by which channels a person wants each kind of message: kind → channel → wanted.

    Inside the platform every message is kept whatever is chosen. Raises NotPermitted, AccountClosed, and Invalid for a kind or a
    channel that is not offered.
    """
    user_id = own_id(actor, operation="choose_channels")
    offered = {
        (kind.kind, channel.value)
        for kind in kinds(at=at)
        for channel, offer in ((Channel.MAIL, kind.mail), (Channel.SMS, kind.sms))
        if offer != Offer.NEVER
    }
    rows = [
        ChannelChoice(user_id=user_id, kind=kind, channel=channel, wanted=wanted, at=at)
        for kind, by_channel in choices.items()
        for channel, wanted in by_channel.items()
    ]
    for row in rows:
        if (row.kind, row.channel) not in offered:
            raise Invalid(field="choices", why=f"{row.kind}/{row.channel} 没有这种通知方式 / is not offered")
    hold_open([user_id])
    ChannelChoice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["user", "kind", "channel"],
        update_fields=["wanted", "at"],
    )
    return ChannelsChosen(user_id=user_id, chosen=len(rows))
