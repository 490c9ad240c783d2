"""Write down that somebody's data were handed over (披露记录)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.models import Disclosure
from tanpuhui.foundation.audit.operations._operation import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRecorded:
    """The line that was written."""

    disclosure_id: int


@operation(roles=set(), subject="disclosure:{disclosure_id}")
def hand_over_own_data(
    *, actor: Actor, at: datetime, user_id: int, purpose: str, data_kinds: tuple[str, ...]
) -> DisclosureRecorded:
    """Write down that a person takes their own data (个人信息保护法 article 45); the data follow.

    `data_kinds` name what is in it, never the data. Only the person may. Raises NotPermitted, Invalid.
    """
    if actor.kind != "user" or actor.id != str(user_id):
        raise NotPermitted(operation="audit.hand_over_own_data")
    if not data_kinds:
        raise Invalid(field="data_kinds", why="至少一类 at least one kind")
    row = Disclosure.objects.create(
        person=user_id,
        subject=f"user:{user_id}",
        recipient=f"user:{user_id}",
        purpose=purpose,
        legal_basis="《个人信息保护法》第四十五条",
        data_kinds=list(data_kinds),
        actor_kind=actor.kind,
        actor_id=actor.id,
        at=at,
    )
    return DisclosureRecorded(disclosure_id=row.pk)


CONSENT_BASIS = "《个人信息保护法》第十三条第一款第一项"
"""People consented to the scenario; staff and partners handle its records under that consent."""


@operation(roles=set(), subject="disclosure:{disclosure_id}")
def hand_over_set(
    *, actor: Actor, at: datetime, subject: str, purpose: str, data_kinds: tuple[str, ...]
) -> DisclosureRecorded:
    """Write down that the actor is given data of a set of people, which `subject` names (`batch:7`); the data follow.

    Whoever gives them has decided before that the actor may have them. `data_kinds` name what is in it. Raises Invalid.
    """
    if not data_kinds or not subject:
        raise Invalid(field="data_kinds", why="至少一类 at least one kind")
    row = Disclosure.objects.create(
        person=None,
        subject=subject,
        recipient=f"{actor.kind}:{actor.id}",
        purpose=purpose,
        legal_basis=CONSENT_BASIS,
        data_kinds=list(data_kinds),
        actor_kind=actor.kind,
        actor_id=actor.id,
        at=at,
    )
    return DisclosureRecorded(disclosure_id=row.pk)
