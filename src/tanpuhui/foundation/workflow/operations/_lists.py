"""What people do with lists of cases: keep a filter, forget it, take a list away (常用筛选、导出)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.workflow.models import SavedFilter
from tanpuhui.foundation.workflow.queries import PAGES, Criteria

NAME_CHARACTERS_MAX = 40
FILTERS_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSaved:
    """The person finds this filter again under its name."""

    user_id: int
    filter_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterForgotten:
    """Whether there was such a filter of the person."""

    user_id: int
    forgotten: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesExported:
    """A list of cases left the platform as a file: which page, how narrowed, how many lines."""

    page: str
    criteria: Mapping[str, str]
    lines: int


@operation(roles=set(), subject="user:{user_id}")
def save_filter(
    *, actor: Actor, at: datetime, page: str, name: str, criteria: Mapping[str, str]
) -> FilterSaved:
    """Keep a filter of a page under a name; the same name again replaces it. Raises NotPermitted, Invalid."""
    user_id = _person(actor, "save_filter")
    wanted, called = Criteria.of(criteria).given(), name.strip()
    if page not in PAGES or not wanted:
        raise Invalid(field="criteria", why="没有可以保存的筛选条件 / there is nothing to keep")
    if not 1 <= len(called) <= NAME_CHARACTERS_MAX:
        raise Invalid(field="name", why=f"1 至 {NAME_CHARACTERS_MAX} 个字 / characters")
    own = SavedFilter.objects.filter(user_id=user_id, page=page)
    if own.exclude(name=called).count() >= FILTERS_MAX:
        raise Invalid(
            field="name", why=f"最多保存 {FILTERS_MAX} 个筛选 / at most {FILTERS_MAX} filters are kept"
        )
    row, _ = SavedFilter.objects.update_or_create(
        user_id=user_id, page=page, name=called, defaults={"criteria": wanted, "at": at}
    )
    return FilterSaved(user_id=user_id, filter_id=row.pk)


@operation(roles=set(), subject="user:{user_id}")
def forget_filter(*, actor: Actor, at: datetime, filter_id: int) -> FilterForgotten:
    """Forget one of the person's own filters; of another's nothing happens. Raises NotPermitted."""
    user_id = _person(actor, "forget_filter")
    gone, _ = SavedFilter.objects.filter(user_id=user_id, pk=filter_id).delete()
    return FilterForgotten(user_id=user_id, forgotten=gone > 0)


@operation(roles=set(), subject="export:{page}")
def record_export(
    *, actor: Actor, at: datetime, page: str, criteria: Mapping[str, str], lines: int
) -> CasesExported:
    """Write down that a person takes a list of cases away as a file (导出留痕), before it leaves. Raises NotPermitted, Invalid."""
    _person(actor, "record_export")
    if page not in PAGES or lines < 0:
        raise Invalid(field="page", why=page)
    return CasesExported(page=page, criteria=Criteria.of(criteria).given(), lines=lines)


def _person(actor: Actor, operation_name: str) -> int:
    if actor.kind != "user":
        raise NotPermitted(operation=operation_name)
    return int(actor.id)
