"""Deliver (投递): count the attempt first, then ask the gateway.

A worker that dies in between has made one failed attempt, and two workers never hand over the same letter at once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.operations import text_person
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.messages.adapters.mail import send_mail
from tanpuhui.foundation.messages.domain import ATTEMPTS_MAX, Channel, DeliveryState, next_attempt
from tanpuhui.foundation.messages.models import Delivery
from tanpuhui.foundation.messages.queries import letter

ADDRESS_GONE = "ADDRESS_GONE"
"""The person has taken their address back since."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryClaimed:
    """Whether this worker may try the delivery now; not when it is settled, not yet due, or has been tried too often."""

    delivery_id: int
    claimed: bool
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettled:
    """How an attempt ended."""

    delivery_id: int
    state: str


def deliver(*, delivery_id: int, at: datetime) -> str:
    """Try one delivery and return its state; a gateway that fails or is not set up leaves it waiting for its next turn.

    Other exceptions are mistakes and go on to the worker's log; the attempt is counted all the same.
    """
    if not claim_delivery(actor=SYSTEM, at=at, delivery_id=delivery_id).claimed:
        return ""
    written = letter(delivery_id)
    error, final = "", False
    try:
        if written.channel == Channel.MAIL and not written.address:
            error, final = ADDRESS_GONE, True
        elif written.channel == Channel.MAIL:
            send_mail(address=written.address, subject=written.subject, body=written.body)
        else:
            text_person(user_id=written.user_id, text=written.text, at=at)
    except (OSError, Refusal) as failure:
        # The class says what kind of failure it was; its text may carry an address or a phone number.
        error = failure.code if isinstance(failure, Refusal) else type(failure).__name__
        _log.warning("delivery %s by %s was not taken: %s", delivery_id, written.channel, error)
    return settle_delivery(actor=SYSTEM, at=at, delivery_id=delivery_id, error=error, final=final).state


@operation(roles={Role.SYSTEM}, subject="delivery:{delivery_id}")
def claim_delivery(*, actor: Actor, at: datetime, delivery_id: int) -> DeliveryClaimed:
    """Count an attempt and date the next one, or give the delivery up after ATTEMPTS_MAX."""
    row = Delivery.objects.select_for_update(skip_locked=True).filter(pk=delivery_id).first()
    if row is None or row.state != DeliveryState.WAITING or row.next_attempt_at > at:
        return DeliveryClaimed(delivery_id=delivery_id, claimed=False, attempts=row.attempts if row else 0)
    if row.attempts >= ATTEMPTS_MAX:
        row.state, row.settled_at = DeliveryState.GIVEN_UP.value, at
        row.save(update_fields=["state", "settled_at"])
        return DeliveryClaimed(delivery_id=delivery_id, claimed=False, attempts=row.attempts)
    row.attempts += 1
    row.next_attempt_at = next_attempt(row.attempts, at=at)
    row.save(update_fields=["attempts", "next_attempt_at"])
    return DeliveryClaimed(delivery_id=delivery_id, claimed=True, attempts=row.attempts)


@operation(roles={Role.SYSTEM}, subject="delivery:{delivery_id}")
def settle_delivery(
    *, actor: Actor, at: datetime, delivery_id: int, error: str, final: bool
) -> DeliverySettled:
    """Keep how an attempt ended: sent where there was no error, else waiting, or given up if it was `final` or the last."""
    row = Delivery.objects.select_for_update().filter(pk=delivery_id).first()
    if row is None:
        raise NotFound(what="投递 / delivery", id=delivery_id)
    if row.state != DeliveryState.WAITING:
        return DeliverySettled(delivery_id=delivery_id, state=row.state)
    row.last_error = error
    if not error:
        row.state, row.settled_at = DeliveryState.SENT.value, at
    elif final or row.attempts >= ATTEMPTS_MAX:
        row.state, row.settled_at = DeliveryState.GIVEN_UP.value, at
    row.save(update_fields=["state", "last_error", "settled_at"])
    return DeliverySettled(delivery_id=delivery_id, state=row.state)
