"""The work of one step: load a slice of a month, calculate it with the new version, leave both results in tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.recalculation import reads_traces, recalculate
from tanpuhui.behaviour.activity.adapters.slices import (
    Member,
    Stored,
    effects,
    members,
    rule_spans,
    stored_records,
)
from tanpuhui.behaviour.activity.adapters.tables import open_tables
from tanpuhui.behaviour.activity.domain.recalculations import Place, place_of
from tanpuhui.behaviour.activity.models import Recalculation
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.science.engine.model import MethodologyVersion
from tanpuhui.science.methodology import queries as methodology


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """A step worked out: its place, the postings it changes, their stored records, and the tables `record` and `day`."""

    place: Place
    postings: tuple[Member, ...]
    groups: tuple[Stored, ...]
    tables: Any


def locked(recalculation_id: int) -> Recalculation:
    """Return the recalculation, locked until the transaction ends. Raises NotFound."""
    row = Recalculation.objects.select_for_update().filter(pk=recalculation_id).first()
    if row is None:
        raise NotFound(what="重算 / recalculation", id=recalculation_id)
    return row


def steps_of(run: Recalculation) -> int:
    """Return how many steps a recalculation has."""
    return len(run.months) * run.slices


def floors_matter(run: Recalculation) -> bool:
    """Say whether results can be negative, so that other records of an account-day belong to its floor."""
    versions = {run.from_version_id, run.to_version_id}
    return any(calculator.may_be_negative(methodology.loaded(version_id)) for version_id in versions)


@contextmanager
def worked(run: Recalculation, number: int) -> Iterator[Work]:
    """Work out one step of a recalculation; the tables are gone afterwards. Memory is that of one slice of a month.

    Raises what loading a version raises: ArchiveChanged, TestParametersRefused.
    """
    place = place_of(number, run.months)
    version = methodology.loaded(run.to_version_id)
    of_month = members(scenario=run.scenario, first_month=place.month, last_month=place.month, before=run.pk)
    own = [
        member
        for member in of_month
        if member.effective_version_id == run.from_version_id and member.posting_id <= run.through_posting_id
    ]
    rest = [member for member in of_month if member not in own] if floors_matter(run) else []
    groups = stored_records(own, slices=run.slices, index=place.slice, traces_of=_traces_of(own, version))
    without = dict.fromkeys({member.version_id for member in rest}, False)
    with closing(open_tables()) as tables:
        recalculate(
            tables,
            version,
            groups=groups,
            effect=effects(own, slices=run.slices, index=place.slice, before=run.pk),
            rules=rule_spans(own),
            others=stored_records(rest, slices=run.slices, index=place.slice, traces_of=without),
            others_effect=effects(rest, slices=run.slices, index=place.slice, before=run.pk),
        )
        yield Work(place=place, postings=tuple(own), groups=tuple(groups), tables=tables)


def _traces_of(own: list[Member], version: MethodologyVersion) -> dict[int, bool]:
    """Say for each posting version whether its traces have to be read: the new version reads a field that stands there."""
    wanted = {item.code for item in version.fields}
    found = {}
    for version_id in {member.version_id for member in own}:
        stored = methodology.loaded(version_id)
        found[version_id] = reads_traces(stored) and any(
            item.code in wanted for item in stored.fields if item.privacy == "trace"
        )
    return found
