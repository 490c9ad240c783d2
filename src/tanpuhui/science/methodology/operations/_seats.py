"""Seats of a panel: experts declare, a conflict gives the seat to the next in order, and a hidden one takes it away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.science.methodology.domain import (
    ExclusionNeedsAnother,
    NotSeated,
    SeatState,
    VersionState,
    recusal_of,
)
from tanpuhui.science.methodology.events import ExpertCalled
from tanpuhui.science.methodology.models import (
    ExpertExclusion,
    MethodologyVersion,
    PanelSeat,
    ReviewMeeting,
    ReviewPanel,
)
from tanpuhui.science.methodology.operations._draw_panel import candidate_facts, interests_of_case
from tanpuhui.science.methodology.operations._experts import own_number
from tanpuhui.science.methodology.queries import SITTING, expert_terms

RECONVENE = "reconvene"
"""The outcome by which a case goes back to its committee when the conclusion is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatDeclared:
    """A seat is taken, or was given up to `next_expert` (None: nobody is left, the seat stays empty)."""

    panel_id: int
    expert_number: int
    state: str
    next_expert: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionProposed:
    """An exclusion waits for another person."""

    panel_id: int
    exclusion_id: int
    expert_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertExcluded:
    """An expert is off the panel; `reconvened` where the case went back to the committee."""

    panel_id: int
    exclusion_id: int
    expert_number: int
    next_expert: int | None
    reconvened: bool


@operation(roles={Role.EXPERT}, subject="review_panel:{panel_id}")
def declare_seat(
    *, actor: Actor, at: datetime, panel_id: int, free: bool, declaration: str, idempotency_key: str
) -> SeatDeclared:
    """Declare to be free of interest in the case and take the seat, or name the interest and give it up.

    Raises NotFound, NotPermitted, NotSeated, Invalid.
    """
    panel = locked_panel(panel_id)
    number = own_number(actor)
    seat = panel.seats_taken.filter(expert_id=number, state=SeatState.SEATED.value).first()
    if seat is None:
        raise NotSeated(what="声明", what_en="declare")
    text = declaration.strip()
    if not text:
        raise Invalid(field="declaration", why="请写明声明的内容 / write the declaration")
    seat.declared_at, seat.declaration = at, text
    if free:
        seat.state = SeatState.DECLARED.value
        seat.save()
        return SeatDeclared(panel_id=panel_id, expert_number=number, state=seat.state, next_expert=None)
    seat.state, seat.left_at, seat.left_reason = SeatState.RECUSED.value, at, text
    seat.save()
    return SeatDeclared(
        panel_id=panel_id, expert_number=number, state=seat.state, next_expert=_call_next(panel, at=at)
    )


@operation(roles={Role.MAKER, Role.REGULATOR}, subject="review_panel:{panel_id}")
def propose_exclusion(
    *, actor: Actor, at: datetime, panel_id: int, expert_number: int, reason: str, idempotency_key: str
) -> ExclusionProposed:
    """Propose to take an expert off a panel for a conflict that was hidden. Raises NotFound, NotPermitted, Invalid."""
    panel = locked_panel(panel_id)
    _require(actor, panel, Role.MAKER, Role.REGULATOR)
    if not reason.strip():
        raise Invalid(field="reason", why="请写明利害关系和依据 / name the conflict and what shows it")
    if not panel.seats_taken.filter(expert_id=expert_number, state__in=SITTING).exists():
        raise NotFound(what="在席专家 / seated expert", id=expert_number)
    row, _ = ExpertExclusion.objects.get_or_create(
        panel=panel,
        expert_id=expert_number,
        confirmed_at=None,
        defaults={
            "reason": reason.strip(),
            "proposed_at": at,
            "proposed_by": sorted(_persons(actor)),
        },
    )
    return ExclusionProposed(panel_id=panel_id, exclusion_id=row.pk, expert_number=expert_number)


@operation(roles={Role.CHECKER, Role.REGULATOR}, subject="review_panel:{panel_id}")
def exclude_expert(*, actor: Actor, at: datetime, exclusion_id: int, idempotency_key: str) -> ExpertExcluded:
    """Confirm an exclusion, as another person than the one who proposed it (移出专家组).

    The expert's opinion counts no more, the next in order is called, meetings held with the expert are void, and a case
    that had left the committee goes back to it. Raises NotFound, NotPermitted, ExclusionNeedsAnother.
    """
    row = ExpertExclusion.objects.filter(pk=exclusion_id, confirmed_at__isnull=True).first()
    if row is None:
        raise NotFound(what="待确认的移出 / open exclusion", id=exclusion_id)
    panel = locked_panel(row.panel_id)
    _require(actor, panel, Role.CHECKER, Role.REGULATOR)
    if _persons(actor) & set(row.proposed_by):
        raise ExclusionNeedsAnother
    seat = PanelSeat.objects.select_for_update().get(panel=panel, expert_id=row.expert_id)
    if seat.state not in SITTING:
        raise NotFound(what="在席专家 / seated expert", id=row.expert_id)
    row.confirmed_at, row.confirmed_by = at, actor.id
    row.save(update_fields=["confirmed_at", "confirmed_by"])
    seat.state, seat.left_at, seat.left_reason = SeatState.EXCLUDED.value, at, row.reason
    seat.save()
    for meeting in ReviewMeeting.objects.filter(panel=panel, voided_at__isnull=True):
        if row.expert_id in meeting.present:
            meeting.voided_at, meeting.void_reason = at, row.reason
            meeting.save(update_fields=["voided_at", "void_reason"])
    called = _call_next(panel, at=at)
    return ExpertExcluded(
        panel_id=panel.pk,
        exclusion_id=row.pk,
        expert_number=row.expert_id,
        next_expert=called,
        reconvened=_reconvene(panel, actor=actor, at=at, reason=row.reason),
    )


def locked_panel(panel_id: int) -> ReviewPanel:
    """Return the panel of a running case, locked until the transaction ends. Raises NotFound."""
    # By name: a panel is a table of record, whose rows the app role may not lock.
    lock_names(f"methodology:panel:{panel_id}")
    panel = ReviewPanel.objects.select_related("filing__version").filter(pk=panel_id).first()
    if panel is None or workflow.case(panel.case_id).closed_at is not None:
        raise NotFound(what="在办案件的专家组 / panel of a running case", id=panel_id)
    return panel


def _require(actor: Actor, panel: ReviewPanel, *roles: Role) -> None:
    actor.require(*roles, operation="methodology.exclude_expert", area=workflow.case(panel.case_id).area)


def _persons(actor: Actor) -> set[str]:
    """Return who acts: the person, and whom they act for."""
    return {actor.id, *(grant.on_behalf_of for grant in actor.grants if grant.on_behalf_of)}


def _call_next(panel: ReviewPanel, *, at: datetime) -> int | None:
    """Seat the next in the order of the draw who is still in term and free of interest; who is not is passed over with the reason."""
    called = set(panel.seats_taken.values_list("expert_id", flat=True))
    place = len(called)
    about = interests_of_case(panel.filing, at=at)
    day = business_day(at)
    for candidate in panel.candidates.filter(recusal="").exclude(expert_id__in=called).order_by("place"):
        place += 1
        terms = [one for one in expert_terms(expert_number=candidate.expert_id) if one.holds_on(day)]
        recusal = recusal_of(candidate_facts(terms[0], at=at), about) if terms else None
        if terms and recusal is None:
            PanelSeat.objects.create(panel=panel, expert_id=candidate.expert_id, place=place, seated_at=at)
            publish(ExpertCalled(panel_id=panel.pk, case_id=panel.case_id, expert_number=candidate.expert_id))
            return candidate.expert_id
        PanelSeat.objects.create(
            panel=panel,
            expert_id=candidate.expert_id,
            place=place,
            seated_at=at,
            state=SeatState.PASSED_OVER.value,
            left_at=at,
            left_reason=f"{recusal[0].value} {recusal[1]}".strip() if recusal else "term",
        )
    return None


def _reconvene(panel: ReviewPanel, *, actor: Actor, at: datetime, reason: str) -> bool:
    """Lead a case that has left the committee back to it; say whether it had."""
    version = MethodologyVersion.objects.get(pk=panel.filing.version_id)
    if version.state != VersionState.REVIEWED:
        return False
    decide(
        actor=actor,
        at=at,
        idempotency_key=None,
        case_id=panel.case_id,
        outcome=RECONVENE,
        opinion=f"专家组有变化，结论失效，重新评审：{reason} / The panel changed; the conclusion is void.",
    )
    return True
