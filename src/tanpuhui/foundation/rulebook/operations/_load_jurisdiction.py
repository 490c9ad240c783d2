"""Load a jurisdiction folder into the rule tables (装载辖区资料). Loading the same folder again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.adapters import jurisdiction_folder as source
from tanpuhui.foundation.rulebook.adapters.process_file import ProcessRow, read_processes
from tanpuhui.foundation.rulebook.domain import JurisdictionInvalid, RuleInForce
from tanpuhui.foundation.rulebook.events import HolidaysChanged
from tanpuhui.foundation.rulebook.models import (
    Holiday,
    Parameter,
    ProcessState,
    ProcessVersion,
    Region,
    Transition,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JurisdictionLoaded:
    """What was new or changed; all counts are zero when the folder was loaded before."""

    code: str
    regions: int
    holidays: int
    parameters: int
    process_versions: int


@operation(roles={Role.SYSTEM_ADMINISTRATOR}, subject="jurisdiction:{code}")
def load_jurisdiction(
    *,
    actor: Actor,
    at: datetime,
    folder: Path,
    packs: Sequence[str] = ("base",),
) -> JurisdictionLoaded:
    """Load names, regions, holidays, processes and the rule packs asked for, all or nothing.

    A value that was in force before today, and a process version once loaded, are not changed in place.
    A holiday that an operator has entered is kept. Raises JurisdictionInvalid, RuleInForce.
    """
    lock_names("rulebook:load")
    described = source.read_jurisdiction(folder)
    unknown = [pack for pack in packs if pack not in described.packs]
    if unknown:
        raise JurisdictionInvalid(
            file="jurisdiction.yaml", line=1, why=f"packs does not list {', '.join(unknown)}"
        )
    today = business_day(at)
    holidays = _load_holidays(source.read_holidays(folder))
    if holidays:
        publish(HolidaysChanged())
    return JurisdictionLoaded(
        code=described.code,
        regions=_load_regions(source.read_regions(folder, area=described.area)),
        holidays=holidays,
        parameters=sum(
            _load_pack(
                source.read_pack(folder, pack), pack=pack, rank=described.packs.index(pack), today=today
            )
            for pack in packs
        ),
        process_versions=sum(_load_process(row) for row in read_processes(folder)),
    )


def _load_regions(rows: Sequence[source.RegionRow]) -> int:
    known = {
        (row.code, row.valid_from): (row.name_zh, row.name_en, row.level, row.parent, row.valid_to, row.note)
        for row in Region.objects.all()
    }
    changed = [
        row
        for row in rows
        if known.get((row.code, row.valid_from))
        != (row.name_zh, row.name_en, row.level, row.parent, row.valid_to, row.note)
    ]
    fresh = [row for row in changed if (row.code, row.valid_from) not in known]
    Region.objects.bulk_create([Region(**asdict(row)) for row in fresh])
    for row in changed:
        if (row.code, row.valid_from) in known:
            Region.objects.filter(code=row.code, valid_from=row.valid_from).update(**asdict(row))
    return len(changed)


def _load_holidays(rows: Sequence[source.HolidayRow]) -> int:
    known = set(Holiday.objects.values_list("day", flat=True))
    fresh = [row for row in rows if row.day not in known]
    Holiday.objects.bulk_create([Holiday(**asdict(row)) for row in fresh])
    return len(fresh)


def _load_pack(rows: Sequence[source.ParameterRow], *, pack: str, rank: int, today: date) -> int:
    known = {(row.key, row.scope, row.valid_from): row for row in Parameter.objects.filter(pack=pack)}
    changed = 0
    for row in rows:
        found = known.get((row.key, row.scope, row.valid_from))
        if found is None:
            Parameter.objects.create(**asdict(row), pack=pack, rank=rank)
            changed += 1
        elif _says(found) != _says(row) or found.rank != rank:
            _refuse_change(found, row, today=today)
            Parameter.objects.filter(id=found.id).update(**asdict(row), rank=rank)
            changed += 1
    return changed


def _says(row: Parameter | source.ParameterRow) -> tuple[object, ...]:
    return (row.value, row.unit, row.basis, row.confidence, row.note, row.valid_to)


def _refuse_change(found: Parameter, row: source.ParameterRow, *, today: date) -> None:
    """A value in force may get an end that is still to come, or a better basis; never another value or a past end."""
    if found.valid_from > today:
        return
    past_end = (
        row.valid_to != found.valid_to and min(row.valid_to or date.max, found.valid_to or date.max) < today
    )
    if (found.value, found.unit) != (row.value, row.unit) or past_end:
        what = f"{row.key}［{row.scope}］" if row.scope else row.key
        raise RuleInForce(what=what, since=found.valid_from.isoformat())


def _load_process(row: ProcessRow) -> int:
    found = ProcessVersion.objects.filter(process=row.process, version=row.version).first()
    if found is not None:
        if found.definition_sha256 != row.sha256():
            raise RuleInForce(what=f"{row.process} v{row.version}", since=found.valid_from.isoformat())
        return 0
    version = ProcessVersion.objects.create(
        process=row.process,
        version=row.version,
        label_zh=row.label_zh,
        label_en=row.label_en,
        valid_from=row.valid_from,
        deadline_working_days=row.deadline_working_days,
        deadline_basis=row.deadline_basis,
        definition_sha256=row.sha256(),
    )
    ProcessState.objects.bulk_create(
        ProcessState(process_version=version, position=position, initial=position == 0, **asdict(state))
        for position, state in enumerate(row.states)
    )
    Transition.objects.bulk_create(
        Transition(process_version=version, position=position, **asdict(transition))
        for position, transition in enumerate(row.transitions)
    )
    return 1
