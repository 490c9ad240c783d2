"""Reads of the expert pool, the review sheet, and what experts did and are owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Q, QuerySet

from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.kernel.quantities import Fen
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.science.methodology.adapters.review_sheet import review_sheets
from tanpuhui.science.methodology.domain import Criterion, ExpertState, ReviewSheet
from tanpuhui.science.methodology.models import Expert, ExpertInterest, ExpertTerm, FeeLine

WEIGHT_PARAMETER = "methodology.criterion_weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertTermView:
    """One term of an expert. Public are number, name, title, fields and days; employer and its code serve recusal."""

    term_id: int
    expert_number: int
    user_id: int
    name: str
    organisation_id: int
    employer_name: str
    employer_uscc: str
    title: str
    fields: tuple[str, ...]
    term_from: date
    term_to: date
    state: str
    case_id: int | None
    ended_on: date | None
    ended_reason: str

    def holds_on(self, day: date) -> bool:
        """Say whether the term is appointed and holds on a day."""
        return (
            self.state == ExpertState.APPOINTED
            and self.term_from <= day <= self.term_to
            and (self.ended_on is None or day < self.ended_on)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestView:
    """An interest that an expert declared and has not withdrawn."""

    interest_id: int
    kind: str
    reference: str
    note: str
    declared_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeView:
    """One thing that an expert is owed for; `fen` None where no rule sets the fee."""

    expert_number: int
    kind: str
    case_id: int
    case_number: str
    fen: Fen | None
    basis: str
    earned_at: datetime


def review_sheet(*, at: datetime | date) -> ReviewSheet:
    """Return the review sheet in force, each criterion with the weight that the rules set. Raises Invalid where none is."""
    day = business_day(at) if isinstance(at, datetime) else at
    sheets = [one for one in review_sheets(Path(settings.TANPUHUI_JURISDICTION_DIR)) if one.valid_from <= day]
    if not sheets:
        raise Invalid(field="review", why="本辖区没有方法学评审表 / the jurisdiction has no review sheet")
    sheet = sheets[-1]
    return replace(sheet, criteria=tuple(_weighted(one, day) for one in sheet.criteria))


def expert_of(actor: Actor) -> int | None:
    """Return the number of the expert that a user is, None where they are not of the pool."""
    if actor.kind != "user" or not actor.id.isdigit():
        return None
    return Expert.objects.filter(user_id=int(actor.id)).values_list("pk", flat=True).first()


def expert_terms(*, expert_number: int | None = None) -> tuple[ExpertTermView, ...]:
    """Return every term, the newest first, of one expert if given."""
    rows = _terms()
    if expert_number is not None:
        rows = rows.filter(expert_id=expert_number)
    return tuple(term_view(row) for row in rows.order_by("-term_from", "-id"))


def expert_term(term_id: int) -> ExpertTermView:
    """Return one term. Raises NotFound."""
    row = _terms().filter(pk=term_id).first()
    if row is None:
        raise NotFound(what="专家聘期 / expert term", id=term_id)
    return term_view(row)


def expert_pool(*, day: date, fields: Sequence[str] = ()) -> tuple[ExpertTermView, ...]:
    """Return the terms that hold on a day, of one of the fields if any are given, by expert number."""
    rows = (
        _terms()
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gt=day), state=ExpertState.APPOINTED.value)
        .filter(term_from__lte=day, term_to__gte=day)
        .order_by("expert_id", "-id")
    )
    wanted = set(fields)
    found = {row.expert_id: row for row in reversed(rows) if not wanted or wanted & set(row.fields)}
    return tuple(term_view(found[number]) for number in sorted(found))


def interests_declared(expert_number: int) -> tuple[InterestView, ...]:
    """Return what an expert declares an interest in now, oldest first."""
    rows = ExpertInterest.objects.filter(expert_id=expert_number, withdrawn_at__isnull=True).order_by("id")
    return tuple(
        InterestView(
            interest_id=row.pk,
            kind=row.kind,
            reference=row.reference,
            note=row.note,
            declared_at=row.declared_at,
        )
        for row in rows
    )


def expert_names(numbers: Sequence[int]) -> dict[int, str]:
    """Return the names of experts by number, all in two queries."""
    users = dict(Expert.objects.filter(pk__in=set(numbers)).values_list("pk", "user_id"))
    people = identity.people(list(users.values()))
    return {number: people[user_id].display_name for number, user_id in users.items() if user_id in people}


def fees(*, expert_number: int | None = None) -> tuple[FeeView, ...]:
    """Return what experts are owed, the latest first, of one expert if given."""
    rows = FeeLine.objects.select_related("panel").order_by("-earned_at", "-id")
    if expert_number is not None:
        rows = rows.filter(expert_id=expert_number)
    return tuple(
        FeeView(
            expert_number=row.expert_id,
            kind=row.kind,
            case_id=row.panel.case_id,
            case_number=row.panel.case_number,
            fen=row.fen,
            basis=row.basis,
            earned_at=row.earned_at,
        )
        for row in rows
    )


def term_view(row: ExpertTerm) -> ExpertTermView:
    """Return a row as others see it; `expert__user` is loaded with it."""
    return ExpertTermView(
        term_id=row.pk,
        expert_number=row.expert_id,
        user_id=row.expert.user_id,
        name=row.expert.user.display_name,
        organisation_id=row.organisation_id,
        employer_name=row.employer_name,
        employer_uscc=row.employer_uscc,
        title=row.title,
        fields=tuple(row.fields),
        term_from=row.term_from,
        term_to=row.term_to,
        state=row.state,
        case_id=row.case_id,
        ended_on=row.ended_on,
        ended_reason=row.ended_reason,
    )


def _terms() -> QuerySet[ExpertTerm]:
    return ExpertTerm.objects.select_related("expert__user")


def _weighted(criterion: Criterion, day: date) -> Criterion:
    value = rulebook.parameter(key=WEIGHT_PARAMETER, at=day, scope=criterion.code).value
    return replace(criterion, weight=None if value is None else int(value))
