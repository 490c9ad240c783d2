"""Register citizens by phone (公众注册): one, or thousands in a few statements."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import IntegrityError, transaction

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import (
    PhoneTaken,
    check_area,
    check_name,
    masked_phone,
    normal_phone,
)
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.queries import PHONE_CONTEXT, phone_index
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.keys.queries import seal, unseal

VISITOR = "visitor"
"""The kind of an actor who has not signed in; `id` is the network address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCitizen:
    """What is needed to register one citizen."""

    phone: str
    display_name: str
    area: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenRegistered:
    """The new citizen."""

    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizensRegistered:
    """The new citizens, in the order given."""

    user_ids: tuple[int, ...]

    @property
    def count(self) -> int:
        """Return how many were registered."""
        return len(self.user_ids)


@operation(roles=set(), subject="user:{user_id}")
def register_citizen(
    *,
    actor: Actor,
    at: datetime,
    phone: str,
    display_name: str,
    area: str,
    idempotency_key: str | None = None,
) -> CitizenRegistered:
    """Register a citizen by mobile number, name shown and area (GB/T 2260).

    A visitor registers their own phone after its code was checked (`register_with_code`); otherwise the system or a
    maker of the area does. Raises Invalid, PhoneTaken, NotPermitted.
    """
    if actor.kind != VISITOR:
        actor.require(Role.MAKER, operation="identity.register_citizen", area=area)
    user_ids = _insert((NewCitizen(phone=phone, display_name=display_name, area=area),), at=at)
    return CitizenRegistered(user_id=user_ids[0])


@operation(roles={Role.SYSTEM}, subject="citizens:{count}")
def register_citizens(
    *,
    actor: Actor,
    at: datetime,
    citizens: Sequence[NewCitizen],
    idempotency_key: str | None = None,
) -> CitizensRegistered:
    """Register many citizens, all or none. Raises Invalid, PhoneTaken, NotPermitted."""
    return CitizensRegistered(user_ids=_insert(citizens, at=at))


def _insert(citizens: Sequence[NewCitizen], *, at: datetime) -> tuple[int, ...]:
    rows: dict[bytes, User] = {}
    for citizen in citizens:
        check_area(citizen.area)
        check_name(citizen.display_name, field="display_name")
        phone = normal_phone(citizen.phone)
        index = phone_index(phone)
        if index in rows:
            raise PhoneTaken(phone=masked_phone(phone))
        rows[index] = User(
            username=f"citizen-{secrets.token_hex(8)}",
            password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20),
            display_name=citizen.display_name,
            area=citizen.area,
            is_citizen=True,
            phone_sealed=seal(phone, context=PHONE_CONTEXT),
            phone_index=index,
            joined_at=at,
        )
    taken = User.objects.filter(phone_index__in=list(rows), is_citizen=True).values_list(
        "phone_sealed", flat=True
    )[:5]
    if taken:
        phones = (unseal(bytes(sealed or b""), context=PHONE_CONTEXT) for sealed in taken)
        raise PhoneTaken(phone=", ".join(masked_phone(phone) for phone in phones))
    try:
        with transaction.atomic():
            created = User.objects.bulk_create(rows.values(), batch_size=1000)
    except IntegrityError as error:
        # Somebody registered one of the phones since the look above; the constraint decided.
        raise PhoneTaken(phone="…") from error
    return tuple(row.id for row in created)
