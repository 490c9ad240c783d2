"""Reads of people, organisations, grants, partner subjects and consents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from tanpuhui.foundation.identity.adapters.sms import sms_configured
from tanpuhui.foundation.identity.domain import (
    ROLES_OF_KIND,
    SCHEME_BODIES,
    ApiKeyUnknown,
    OrganisationKind,
    masked_phone,
    normal_phone,
)
from tanpuhui.foundation.identity.models import Membership, Organisation, TotpAuthenticator, User
from tanpuhui.foundation.identity.queries.acting import (
    AreaAssignmentView,
    DelegationView,
    actor_of,
    area_assignments,
    delegation_over,
    delegations,
    in_force,
    users_with_role,
)
from tanpuhui.foundation.identity.queries.closures import (
    ClosureView,
    acts_for_organisation,
    closed_at,
    closure_breaches,
    closure_of,
    closures_done,
    closures_due,
    users_closed,
)
from tanpuhui.foundation.identity.queries.consent_texts import (
    SCENARIO,
    ConsentTextMissing,
    consent_text,
    consent_text_breaches,
    consent_texts,
)
from tanpuhui.foundation.identity.queries.intake import (
    Consents,
    consents_in_columns,
    subject_keys,
    users_in_columns,
)
from tanpuhui.foundation.identity.queries.onboarding import (
    ApplicationView,
    ContractView,
    StaffView,
    application,
    applications_of,
    contracts,
    staff,
)
from tanpuhui.foundation.identity.queries.systems import (
    ApiKeyView,
    SigningKeyView,
    actor_of_api_key,
    actor_of_partner,
    api_key_index,
    api_keys,
    partner_acting,
    signing_keys,
    signs,
)
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.queries import blind_index, blind_indexes, unseal

__all__ = [
    "PHONE_CONTEXT",
    "ROLES_OF_KIND",
    "SCENARIO",
    "SCHEME_BODIES",
    "TOTP_CONTEXT",
    "ApiKeyUnknown",
    "ApiKeyView",
    "ApplicationView",
    "AreaAssignmentView",
    "ClosureView",
    "ConsentTextMissing",
    "Consents",
    "ContractView",
    "DelegationView",
    "MembershipView",
    "OrganisationKind",
    "OrganisationView",
    "PersonView",
    "SigningKeyView",
    "StaffView",
    "actor_of",
    "actor_of_api_key",
    "actor_of_partner",
    "acts_for_organisation",
    "api_key_index",
    "api_keys",
    "application",
    "applications_of",
    "area_assignments",
    "area_prefix",
    "breaches",
    "closed_at",
    "closure_of",
    "closures_done",
    "closures_due",
    "consent_text",
    "consent_texts",
    "consents_in_columns",
    "consents_of",
    "contracts",
    "delegation_over",
    "delegations",
    "masked_phone",
    "members",
    "membership",
    "normal_phone",
    "organisation",
    "organisation_names",
    "organisations",
    "partner_acting",
    "people",
    "person",
    "phone_index",
    "phone_index_of",
    "phone_indexes",
    "signing_keys",
    "signs",
    "staff",
    "subject_indexes",
    "subject_keys",
    "texts_can_be_sent",
    "user_of_phone",
    "users_closed",
    "users_in_columns",
    "users_of_subjects",
    "users_with_phone",
    "users_with_role",
]

PHONE_CONTEXT = "identity.user_phone"
TOTP_CONTEXT = "identity.totp_secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationView:
    """An organisation as others may see it; `area` is its GB/T 2260 code."""

    id: int
    kind: str
    name: str
    name_en: str
    uscc: str
    area: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """A person as others may see them; the phone only with its middle hidden, empty where there is none."""

    id: int
    display_name: str
    area: str
    masked_phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipView:
    """One role of one person for one organisation."""

    id: int
    user_id: int
    username: str
    display_name: str
    organisation_id: int
    role: str
    area: str
    valid_from: datetime
    valid_to: datetime | None


def organisation(organisation_id: int) -> OrganisationView:
    """Return one organisation; raises NotFound."""
    row = Organisation.objects.filter(id=organisation_id).first()
    if row is None:
        raise NotFound(what="机构 organisation", id=organisation_id)
    return _organisation_view(row)


def organisation_names(organisation_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return the Chinese and the English name of each of these organisations that exists (one query)."""
    rows = Organisation.objects.filter(id__in=list(organisation_ids)).values_list("id", "name", "name_en")
    return {id_: (name, name_en) for id_, name, name_en in rows}


def organisations(*, kind: str | None = None, area: str | None = None) -> tuple[OrganisationView, ...]:
    """Return organisations by kind and lying inside an area (370000 holds everything of that province), oldest first."""
    rows = Organisation.objects.order_by("id")
    if kind is not None:
        rows = rows.filter(kind=kind)
    if area is not None:
        rows = rows.filter(area__startswith=area_prefix(area))
    return tuple(_organisation_view(row) for row in rows)


def members(organisation_id: int, *, at: datetime) -> tuple[MembershipView, ...]:
    """Return the memberships of an organisation that hold at a moment, oldest first."""
    rows = (
        in_force(Membership.objects.filter(organisation_id=organisation_id), at)
        .select_related("user")
        .order_by("id")
    )
    return tuple(_membership_view(row) for row in rows)


def membership(membership_id: int) -> MembershipView:
    """Return one membership, ended ones too; raises NotFound."""
    row = Membership.objects.select_related("user").filter(id=membership_id).first()
    if row is None:
        raise NotFound(what="成员关系 membership", id=membership_id)
    return _membership_view(row)


def _membership_view(row: Membership) -> MembershipView:
    return MembershipView(
        id=row.id,
        user_id=row.user_id,
        username=row.user.username,
        display_name=row.user.display_name,
        organisation_id=row.organisation_id,
        role=row.role,
        area=row.area,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def holders_of(roles: Collection[Role], *, at: datetime) -> tuple[int, ...]:
    """Return the active users who hold one of the roles anywhere at a moment, in ascending order."""
    rows = Membership.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=at),
        valid_from__lte=at,
        role__in=[role.value for role in roles],
        user__is_active=True,
    )
    return tuple(rows.order_by("user_id").values_list("user_id", flat=True).distinct())


def person(user_id: int) -> PersonView:
    """Return one person; raises NotFound."""
    found = people((user_id,))
    if user_id not in found:
        raise NotFound(what="用户 user", id=user_id)
    return found[user_id]


def people(user_ids: Sequence[int]) -> dict[int, PersonView]:
    """Return the people among these identifiers that exist, by identifier."""
    rows = User.objects.filter(id__in=set(user_ids)).only("id", "display_name", "area", "phone_sealed")
    return {
        row.id: PersonView(
            id=row.id,
            display_name=row.display_name,
            area=row.area,
            masked_phone=(
                ""
                if row.phone_sealed is None
                else masked_phone(unseal(bytes(row.phone_sealed), context=PHONE_CONTEXT))
            ),
        )
        for row in rows
    }


def user_of_phone(phone: str) -> int | None:
    """Return the citizen of a phone number, None where nobody has registered with it; raises Invalid."""
    return (
        User.objects.filter(phone_index=phone_index(normal_phone(phone)), is_citizen=True)
        .values_list("id", flat=True)
        .first()
    )


def users_with_phone(user_ids: Iterable[int]) -> frozenset[int]:
    """Return which of these people the platform can send a text message to: active, and with a phone."""
    rows = User.objects.filter(id__in=list(user_ids), is_active=True, phone_sealed__isnull=False)
    return frozenset(rows.values_list("id", flat=True))


def texts_can_be_sent() -> bool:
    """Say whether a gateway for text messages is set up."""
    return sms_configured()


def users_of_subjects(*, partner_id: int, subjects: Sequence[str]) -> dict[str, int]:
    """Return the user of each of a partner's subjects that is bound; the others are left out."""
    subject_of = {index: subject for subject, index in subject_indexes(partner_id, subjects).items()}
    with connection.cursor() as cursor:
        cursor.execute(
            "select subject_index, user_id from identity_partnersubject"
            " where partner_id = %s and subject_index = any(%s)",
            [partner_id, list(subject_of)],
        )
        return {subject_of[bytes(index)]: user_id for index, user_id in cursor.fetchall()}


def consents_of(
    *, user_ids: Sequence[int], scenario: str
) -> dict[int, tuple[tuple[datetime, datetime | None], ...]]:
    """Return each user's consents for a scenario as (given at, withdrawn at or None), oldest first.

    A user without any is left out. A consent holds from the first moment until before the second (个人信息保护法
    articles 14, 15 and 29: separate consent, and withdrawal without effect on what was done before).
    """
    found: dict[int, list[tuple[datetime, datetime | None]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select user_id, given_at, withdrawn_at from identity_consent"
            " where scenario = %s and user_id = any(%s) order by user_id, given_at",
            [scenario, list(set(user_ids))],
        )
        for user_id, given_at, withdrawn_at in cursor.fetchall():
            found.setdefault(user_id, []).append((given_at, withdrawn_at))
    return {user_id: tuple(spans) for user_id, spans in found.items()}


def phone_index(phone: str) -> bytes:
    """Return the blind index of a normal phone number."""
    return bytes.fromhex(blind_index(phone, purpose="identity.phone"))


def phone_indexes(phones: Iterable[str]) -> list[bytes]:
    """Return the blind index of each normal phone number, in order; for many at once."""
    return blind_indexes(phones, purpose="identity.phone")


def phone_index_of(user_id: int) -> bytes | None:
    """Return the blind index of a citizen's phone, by which other rooms find what waits for it; None for anybody else."""
    found = User.objects.filter(id=user_id, is_citizen=True).values_list("phone_index", flat=True).first()
    return None if found is None else bytes(found)


def subject_indexes(partner_id: int, subjects: Iterable[str]) -> dict[str, bytes]:
    """Return the blind index of each of a partner's subjects; the same subject of another partner gives another."""
    wanted = list(dict.fromkeys(subjects))
    return dict(zip(wanted, subject_keys(partner_id, wanted), strict=True))


def breaches() -> Iterator[Breach]:
    """Report phones that do not open to their index, secrets that do not open, roles that a kind cannot give, and what is left of the closed."""
    for user_id, sealed, index in (
        User.objects.filter(phone_sealed__isnull=False)
        .values_list("id", "phone_sealed", "phone_index")
        .order_by("id")
        .iterator()
    ):
        try:
            good = phone_index(unseal(bytes(sealed or b""), context=PHONE_CONTEXT)) == bytes(index or b"")
        except (ValueError, LookupError):
            good = False
        if not good:
            yield Breach(
                invariant="phone_opens_to_its_index",
                subject=f"user:{user_id}",
                detail="sealed phone and index disagree",
            )
    for authenticator_id, sealed in (
        TotpAuthenticator.objects.filter(removed_at__isnull=True)
        .values_list("id", "secret_sealed")
        .order_by("id")
        .iterator()
    ):
        try:
            unseal(bytes(sealed), context=TOTP_CONTEXT)
        except (ValueError, LookupError):
            yield Breach(
                invariant="second_factor_opens",
                subject=f"totp_authenticator:{authenticator_id}",
                detail="the sealed secret does not open, so nobody can sign in with it",
            )
    for membership_id, role, kind in (
        Membership.objects.values_list("id", "role", "organisation__kind").order_by("id").iterator()
    ):
        if kind not in set(OrganisationKind) or role not in ROLES_OF_KIND[OrganisationKind(kind)]:
            yield Breach(
                invariant="role_fits_organisation",
                subject=f"membership:{membership_id}",
                detail=f"{role} in {kind}",
            )
    yield from closure_breaches()
    yield from consent_text_breaches()


def _organisation_view(row: Organisation) -> OrganisationView:
    return OrganisationView(
        id=row.id, kind=row.kind, name=row.name, name_en=row.name_en, uscc=row.uscc, area=row.area
    )


def area_prefix(area: str) -> str:
    """Return the digits that everything inside an area begins with, after kernel.actors.area_covers."""
    while area.endswith("00"):
        area = area[:-2]
    return area
