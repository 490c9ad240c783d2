"""Prepare a recalculation: which postings, from which version to which, and whether that can be calculated at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.adapters.slices import Member, members
from tanpuhui.behaviour.activity.domain.recalculations import (
    NothingToRecalculate,
    NotRecalculable,
    RecalculationState,
    slice_count,
)
from tanpuhui.behaviour.activity.events import RecalculationPrepared as RecalculationPreparedEvent
from tanpuhui.behaviour.activity.models import Recalculation, Scenario
from tanpuhui.behaviour.activity.operations._post_batch._post import POSTING_LOCK
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.science.engine import ENGINE_VERSION
from tanpuhui.science.engine.model import MethodologyVersion
from tanpuhui.science.methodology import queries as methodology

REASON_CHARACTERS_MAX = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class RecalculationPrepared:
    """A recalculation whose preview is being worked out."""

    recalculation_id: int
    postings: int
    records: int


@operation(roles={Role.MAKER}, subject="recalculation:{recalculation_id}")
def prepare_recalculation(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str,
    scenario: str,
    from_version_id: int,
    to_version_id: int,
    first_month: str,
    last_month: str,
    reason: str,
) -> RecalculationPrepared:
    """Take the postings of the months (2026-11, both included) on which the old version stands, and defer their preview.

    Nothing changes yet, and the new version need not be filed to be previewed. Caps are not applied again: the
    allowance that a record was granted is one of its stored inputs (house plan, section 3).
    Raises Invalid, NotFound, VersionBlocked, NotRecalculable, NothingToRecalculate, Busy (intake is posting).
    """
    actor.require(Role.MAKER, operation="activity.prepare_recalculation", area=jurisdiction().area)
    first, last = _months(first_month, last_month)
    if not reason.strip() or len(reason) > REASON_CHARACTERS_MAX:
        raise Invalid(
            field="reason", why=f"请写明重算的原因，不超过 {REASON_CHARACTERS_MAX} 字 / say why, briefly"
        )
    if not Scenario.objects.filter(code=scenario).exists():
        raise NotFound(what="场景 scenario", id=scenario)
    version = _permitted_version(scenario, from_version_id, to_version_id)
    # While nobody is posting, the highest number is that of the last posting that will ever be up to it.
    lock_names(POSTING_LOCK)
    own = [
        member
        for member in members(scenario=scenario, first_month=str(first), last_month=str(last))
        if member.effective_version_id == from_version_id
    ]
    if not own:
        raise NothingToRecalculate(scenario=scenario, first_month=first, last_month=last)
    for version_id in sorted({member.version_id for member in own}):
        _check_inputs(methodology.loaded(version_id), version)
    per_month = _records_by_month(own)
    run = Recalculation.objects.create(
        scenario=scenario,
        from_version_id=from_version_id,
        to_version_id=to_version_id,
        methodology_sha256=version.archive_sha256,
        parameter_set_sha256=version.parameter_set.sha256 if version.parameter_set else "",
        engine_version=ENGINE_VERSION,
        rounding=f"{version.rounding.rule.upper()}_1G",
        months=sorted(per_month),
        slices=slice_count(max(per_month.values())),
        through_posting_id=max(member.posting_id for member in own),
        reason=reason.strip(),
        state=RecalculationState.PREPARED,
        prepared_at=at,
    )
    publish(RecalculationPreparedEvent(recalculation_id=run.pk))
    return RecalculationPrepared(
        recalculation_id=run.pk, postings=len(own), records=sum(member.records for member in own)
    )


def _months(first_month: str, last_month: str) -> tuple[Month, Month]:
    try:
        first, last = Month.parse(first_month), Month.parse(last_month)
    except ValueError as error:
        raise Invalid(field="month", why=str(error)) from error
    if last < first:
        raise Invalid(field="last_month", why="末月早于首月 / the last month is before the first")
    return first, last


def _permitted_version(scenario: str, from_version_id: int, to_version_id: int) -> MethodologyVersion:
    """Return the new version, if it can stand in the place of the old one. Raises NotRecalculable, VersionBlocked."""
    old, new = methodology.version(from_version_id), methodology.version(to_version_id)
    if old.id == new.id:
        raise NotRecalculable(why_zh="新旧版本是同一个", why_en="old and new are the same version")
    if (old.scenario, new.scenario) != (scenario, scenario):
        raise NotRecalculable(why_zh="版本不属于这个场景", why_en="a version belongs to another scenario")
    if old.purpose != new.purpose:
        raise NotRecalculable(
            why_zh=f"参数集的用途不同（{old.purpose}、{new.purpose}）",
            why_en=f"their parameters serve different purposes ({old.purpose}, {new.purpose})",
        )
    loaded = methodology.loaded(new.id)
    loaded.require_runnable()
    return loaded


def _check_inputs(stored: MethodologyVersion, new: MethodologyVersion) -> None:
    """Refuse a version that needs what was never stored, or whose cap counts something else than was granted."""
    kinds = {item.code: item.kind for item in stored.fields}
    missing = sorted(
        item.code
        for item in new.fields
        if (item.code not in kinds and not item.nullable) or kinds.get(item.code, item.kind) != item.kind
    )
    if missing:
        raise NotRecalculable(
            why_zh=f"已存的记录没有这些数据：{'、'.join(missing)}",
            why_en=f"the stored records do not have these data: {', '.join(missing)}",
        )
    if stored.cap is not None and (new.cap is None or new.cap.quantity != stored.cap.quantity):
        raise NotRecalculable(
            why_zh="新版本的活动量上限按另一种量计，已核给的额度不能沿用",
            why_en="its cap counts another quantity, so the allowances granted then mean nothing to it",
        )


def _records_by_month(own: Sequence[Member]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for member in own:
        found[member.month] += member.records
    return found
