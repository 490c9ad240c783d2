"""Cases in sight (检索): what may be seen is said in SQL, never filtered afterwards; the best and the newest come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, FloatField, Q, QuerySet
from django.db.models.expressions import RawSQL

from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.words import search_query
from tanpuhui.foundation.workflow.domain import area_prefix
from tanpuhui.foundation.workflow.models import Case
from tanpuhui.foundation.workflow.queries._criteria import ORDERS, Criteria, Scope, Sort, narrowed
from tanpuhui.foundation.workflow.queries._views import CaseView, Versions, view_of

MATCHES_MAX = 1_000
"""Of a text, so many of the newest matches are ranked; a text that finds more is too common to rank by."""

_MATCHES = "workflow_casesearch.words @@ %s::tsquery"
_RANK = "ts_rank('{0, 0.2, 0.4, 1}', workflow_casesearch.words, %s::tsquery)"
"""The weights of D, C, B, A: name of an organisation, title, number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesFound:
    """One page of cases; `more` says whether another follows, `matches` how many a text found (None without a text).

    `capped` says that a text found more than were ranked, and that only the newest of them are here.
    """

    cases: tuple[CaseView, ...]
    more: bool
    matches: int | None
    capped: bool


def find_cases(
    *,
    scope: Scope,
    actor: Actor,
    at: datetime,
    criteria: Criteria | None = None,
    offset: int = 0,
    limit: int = 50,
) -> CasesFound:
    """Return a page of the cases of a scope: with a text the best matches first, else the newest first, or as sorted.

    A text finds what has all its words in number, title, or the names of applicant and parties. `actor` and `at` are who
    asks and when, for criteria such as "mine" and "overdue"; what they may see is the scope's to say.
    """
    wanted = criteria or Criteria()
    rows = in_scope(scope).filter(narrowed(wanted, actor=actor, at=at))
    if not wanted.text:
        order = ORDERS[Sort(wanted.sort or Sort.NEWEST)]
        ids = list(rows.order_by(*order).values_list("pk", flat=True)[offset : offset + limit + 1])
        return CasesFound(cases=_views(ids[:limit]), more=len(ids) > limit, matches=None, capped=False)
    ranked = _ranked(rows, wanted.text)
    ids = ranked[:MATCHES_MAX]
    return CasesFound(
        cases=_views(ids[offset : offset + limit]),
        more=offset + limit < len(ids),
        matches=len(ids),
        capped=len(ranked) > MATCHES_MAX,
    )


def in_scope(scope: Scope) -> QuerySet[Case]:
    """Return the cases of a scope, joined with what they are found by."""
    seen = Q(pk__in=())
    for area in scope.areas:
        seen |= Q(search__area__startswith=area_prefix(area))
    for process, area in scope.process_areas:
        seen |= Q(search__process=process, search__area__startswith=area_prefix(area))
    if scope.organisation_ids:
        seen |= Q(search__organisations__overlap=list(scope.organisation_ids))
    return Case.objects.filter(seen, search__isnull=False)


def _ranked(rows: QuerySet[Case], text: str) -> list[int]:
    """Return the newest matches of a text, the case of that very number first, then by rank, then the newest first."""
    query = search_query(text)
    if not query:
        return []
    matching = rows.filter(RawSQL(_MATCHES, [query], output_field=BooleanField()))  # noqa: S611  a constant
    found = list(
        matching.annotate(rank=RawSQL(_RANK, [query], output_field=FloatField()))  # noqa: S611  a constant
        .order_by("-pk")
        .values_list("pk", "number", "rank")[: MATCHES_MAX + 1]
    )
    exact = text.strip().casefold()
    found.sort(key=lambda row: (row[1].casefold() != exact, -row[2], -row[0]))
    return [case_id for case_id, _, _ in found]


def _views(case_ids: Sequence[int]) -> tuple[CaseView, ...]:
    rows = {row.pk: row for row in Case.objects.filter(pk__in=case_ids).prefetch_related("parties")}
    versions = Versions.of({row.process_version_id for row in rows.values()})
    return tuple(view_of(rows[case_id], versions=versions) for case_id in case_ids)
