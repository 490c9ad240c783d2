"""What is held of a person as a person, for the copy that is theirs to have (个人信息查阅、复制; 个人信息保护法 article 45)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.identity.models import Consent, PartnerSubject, SignInSession, User
from tanpuhui.foundation.identity.queries import PHONE_CONTEXT
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.queries import unseal


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnConsent:
    """One consent of the person's: scenario, version of the text, and the moments it holds between."""

    scenario: str
    text_version: str
    text_sha256: str
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBinding:
    """A data partner to which the person is known, and since when. The number there is kept as a keyed hash only."""

    partner_id: int
    bound_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSession:
    """One sign-in: when, how, from which address and device, until when."""

    opened_at: datetime
    way: str
    ip: str
    device: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnData:
    """Everything that identity holds of a person, but keys and hashes."""

    display_name: str
    phone: str
    area: str
    consents: tuple[OwnConsent, ...]
    bindings: tuple[OwnBinding, ...]
    sessions: tuple[OwnSession, ...]


def own_data(user_id: int) -> OwnData:
    """Return it, the phone in full: for the person alone. Raises NotFound."""
    row = User.objects.filter(pk=user_id).first()
    if row is None:
        raise NotFound(what="用户 user", id=user_id)
    phone = "" if row.phone_sealed is None else unseal(bytes(row.phone_sealed), context=PHONE_CONTEXT)
    return OwnData(
        display_name=row.display_name,
        phone=phone,
        area=row.area,
        consents=tuple(
            OwnConsent(
                scenario=one.scenario,
                text_version=one.text_version,
                text_sha256=one.text_sha256,
                given_at=one.given_at,
                withdrawn_at=one.withdrawn_at,
            )
            for one in Consent.objects.filter(user_id=user_id).order_by("given_at", "id")
        ),
        bindings=tuple(
            OwnBinding(partner_id=one.partner_id, bound_at=one.bound_at)
            for one in PartnerSubject.objects.filter(user_id=user_id).order_by("bound_at", "id")
        ),
        sessions=tuple(
            OwnSession(
                opened_at=one.opened_at, way=one.way, ip=one.ip, device=one.device, ended_at=one.ended_at
            )
            for one in SignInSession.objects.filter(user_id=user_id).order_by("opened_at", "id")
        ),
    )
