"""Bind a data partner's pseudonyms to people (绑定伙伴主体)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import OrganisationKind, SubjectBoundElsewhere
from tanpuhui.foundation.identity.models import Organisation, PartnerSubject, User
from tanpuhui.foundation.identity.operations._open_people import hold_open
from tanpuhui.foundation.identity.queries import subject_indexes, users_of_subjects
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.persistence.locks import lock_names

SUBJECT_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSubjectBound:
    """The binding now in force; `new` is false where it stood before."""

    partner_id: int
    user_id: int
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSubjectsBound:
    """How many pairs were bound now, and how many stood before."""

    partner_id: int
    bound: int
    stood: int


@operation(roles={Role.CITIZEN, Role.PARTNER, Role.ADMINISTRATOR}, subject="partner:{partner_id}")
def bind_partner_subject(
    *,
    actor: Actor,
    at: datetime,
    partner_id: int,
    subject: str,
    user_id: int,
    idempotency_key: str | None = None,
) -> PartnerSubjectBound:
    """Bind one of a partner's subjects to a person. A citizen binds only themselves, a partner only its own subjects.

    Raises SubjectBoundElsewhere, Invalid, NotFound, NotPermitted, AccountClosed.
    """
    own = actor.kind == "user" and actor.id == str(user_id) and Role.CITIZEN in actor.roles
    if not own and not actor.has(Role.ADMINISTRATOR):
        actor.require(Role.PARTNER, operation="identity.bind_partner_subject", organisation_id=partner_id)
    bound, _ = _bind(partner_id, ((subject, user_id),), at=at)
    return PartnerSubjectBound(partner_id=partner_id, user_id=user_id, new=bound == 1)


@operation(roles={Role.PARTNER}, subject="partner:{partner_id}")
def bind_partner_subjects(
    *,
    actor: Actor,
    at: datetime,
    partner_id: int,
    pairs: Sequence[tuple[str, int]],
    idempotency_key: str | None = None,
) -> PartnerSubjectsBound:
    """Bind many of a partner's (subject, user) pairs, all or none; pairs that stand already are left as they are.

    Raises SubjectBoundElsewhere, Invalid, NotFound, NotPermitted, AccountClosed.
    """
    actor.require(Role.PARTNER, operation="identity.bind_partner_subjects", organisation_id=partner_id)
    bound, stood = _bind(partner_id, pairs, at=at)
    return PartnerSubjectsBound(partner_id=partner_id, bound=bound, stood=stood)


def _bind(partner_id: int, pairs: Sequence[tuple[str, int]], *, at: datetime) -> tuple[int, int]:
    lock_names(f"identity:partner:{partner_id}")
    if not Organisation.objects.filter(id=partner_id, kind=OrganisationKind.PARTNER).exists():
        raise NotFound(what="数据伙伴 data partner", id=partner_id)
    wanted: dict[str, int] = {}
    for subject, user_id in pairs:
        if not subject or len(subject) > SUBJECT_CHARACTERS_MAX:
            raise Invalid(field="subject", why="应为 1 至 200 个字符 / 1 to 200 characters")
        if wanted.setdefault(subject, user_id) != user_id:
            raise SubjectBoundElsewhere(subject=subject)
    hold_open(sorted(set(wanted.values())))
    citizens = set(
        User.objects.filter(id__in=set(wanted.values()), is_citizen=True).values_list("id", flat=True)
    )
    standing = users_of_subjects(partner_id=partner_id, subjects=tuple(wanted))
    for subject, user_id in wanted.items():
        if user_id not in citizens:
            raise NotFound(what="公众用户 citizen", id=user_id)
        if standing.get(subject, user_id) != user_id:
            raise SubjectBoundElsewhere(subject=subject)
    indexes = subject_indexes(partner_id, [subject for subject in wanted if subject not in standing])
    new = [
        PartnerSubject(partner_id=partner_id, subject_index=index, user_id=wanted[subject], bound_at=at)
        for subject, index in indexes.items()
    ]
    PartnerSubject.objects.bulk_create(new, batch_size=2000)
    return len(new), len(standing)
