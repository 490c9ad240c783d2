"""Scenario applications with their versions, what they lack, and the classes that the rules name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from tanpuhui.behaviour.activity.adapters import ADAPTERS, TRACES
from tanpuhui.behaviour.activity.adapters.contents import content_of
from tanpuhui.behaviour.activity.adapters.mapping_file import read_mapping
from tanpuhui.behaviour.activity.domain.applications import (
    ApplicationState,
    DataField,
    Lack,
    ScenarioContent,
    lacks,
)
from tanpuhui.behaviour.activity.domain.mappings import MAPPED, MappingInvalid
from tanpuhui.behaviour.activity.models import ScenarioApplication, ScenarioApplicationVersion
from tanpuhui.behaviour.activity.queries._mappings import mapping_lacks
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.science.engine.model import Field
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import VersionView

CLASS_PARAMETER = "scenario.class"
CLASS_ADDITIONALITY = "scenario.class_additionality"
CLASS_CERTIFIABLE = "scenario.class_certifiable"
LEVELS = ("province", "city", "county")
PASSED_OVER = frozenset({"returned", "rejected", "withdrawn"})
"""States of a methodology version that no trial takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioClassView:
    """A class of the scheme (减排项目、减排场景) with the text it stands in, and what follows from it, each None where unset."""

    code: str
    name_zh: str
    name_en: str
    basis: str
    confidence: str
    note: str
    additionality: str | None
    certifiable: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplicationView:
    """An application with the content of one version."""

    id: int
    organisation_id: int
    state: str
    version: int
    content: ScenarioContent
    definition_sha256: str
    case_id: int | None
    opened_at: datetime
    saved_at: datetime
    scenario_id: int | None
    feed_id: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplicationVersionView:
    """One version of an application: who saved it, when, and what it said."""

    version: int
    saved_at: datetime
    saved_by_kind: str
    saved_by_id: str
    content_sha256: str
    content: ScenarioContent


def scenario_classes(*, at: datetime | date) -> tuple[ScenarioClassView, ...]:
    """Return the classes that the rules of the day name, in the order of their codes; none where no rule names any."""
    found = []
    for row in rulebook.parameters(at=at):
        if row.key != CLASS_PARAMETER or row.value is None:
            continue
        zh, _, en = row.value.partition(" / ")
        found.append(
            ScenarioClassView(
                code=row.scope,
                name_zh=zh,
                name_en=en,
                basis=row.basis,
                confidence=row.confidence,
                note=row.note,
                additionality=rulebook.parameter(key=CLASS_ADDITIONALITY, at=at, scope=row.scope).value,
                certifiable=rulebook.parameter(key=CLASS_CERTIFIABLE, at=at, scope=row.scope).value,
            )
        )
    return tuple(found)


def application(application_id: int, *, version: int | None = None) -> ApplicationView:
    """Return an application with its newest content, or that of a version. Raises NotFound."""
    row = ScenarioApplication.objects.filter(pk=application_id).first()
    if row is None:
        raise NotFound(what="场景申请 / scenario application", id=application_id)
    saved = ScenarioApplicationVersion.objects.filter(
        application_id=application_id, version=version or row.version
    ).first()
    if saved is None:
        raise NotFound(what="申请版本 / application version", id=version)
    return _view(row, saved)


def applications(
    *, organisation_ids: Sequence[int] | None = None, partner_ids: Sequence[int] = (), limit: int = 200
) -> tuple[ApplicationView, ...]:
    """Return applications, the newest first: all, or those of these organisations and those that name these partners."""
    rows = ScenarioApplication.objects.order_by("-id")
    if organisation_ids is not None:
        named = ScenarioApplicationVersion.objects.filter(
            content__partner_id__in=list(partner_ids)
        ).values_list("application_id", flat=True)
        rows = rows.filter(Q(organisation_id__in=organisation_ids) | (Q(pk__in=named) & ~Q(state="draft")))
    found = list(rows[:limit])
    saved = {
        (one.application_id, one.version): one
        for one in ScenarioApplicationVersion.objects.filter(application_id__in=[row.pk for row in found])
    }
    return tuple(_view(row, saved[row.pk, row.version]) for row in found)


def applications_of_scenario(code: str) -> tuple[ApplicationView, ...]:
    """Return the applications through which a scenario and its feeds went live, in that order."""
    rows = ScenarioApplication.objects.filter(code=code, state=ApplicationState.LIVE).order_by("feed_id")
    return tuple(application(row.pk) for row in rows)


def application_versions(application_id: int) -> tuple[ApplicationVersionView, ...]:
    """Return every version that was ever saved, the newest first."""
    rows = ScenarioApplicationVersion.objects.filter(application_id=application_id).order_by("-version")
    return tuple(
        ApplicationVersionView(
            version=row.version,
            saved_at=row.saved_at,
            saved_by_kind=row.saved_by_kind,
            saved_by_id=row.saved_by_id,
            content_sha256=row.content_sha256,
            content=content_of(row.content),
        )
        for row in rows
    )


def methodology_of(content: ScenarioContent, *, day: date) -> VersionView | None:
    """Return the version that would calculate: the filed one of the scenario, else the newest that was applied for."""
    try:
        return methodology.version(methodology.filed_version(scenario=content.code, day=day).id)
    except methodology.NoFiledMethodology:
        pass
    return next(
        (
            view
            for view in methodology.versions_of(content.methodology_code)
            if view.scenario == content.code and view.state not in PASSED_OVER
        ),
        None,
    )


def in_force_or_to_come(view: VersionView, *, day: date) -> bool:
    """Say whether a version calculates on a day, or was filed for a day to come; a suspended one does neither."""
    if view.filed_at is None or view.valid_from is None:
        return False
    if view.valid_from > day:
        return True
    try:
        return methodology.filed_version(scenario=view.scenario, day=day).id == view.id
    except methodology.NoFiledMethodology:
        return False


def needed_columns(content: ScenarioContent, *, day: date) -> dict[str, str]:
    """Return the columns (code to Chinese name) without which nothing can be calculated from the file."""
    form = ADAPTERS.get(content.adapter)
    if form is None:
        return {}
    needed = {name: name for name in form.required}
    view = methodology_of(content, day=day)
    if view is not None:
        fields = methodology.loaded(view.id).fields
        read = set(form.wanted(tuple(field.code for field in fields)))
        needed |= {field.code: field.name.zh for field in fields if not field.nullable and field.code in read}
    return needed


ENVELOPE_WORDS = {
    "record_id": ("报送单位的记录编号，同一天内不重复", "去重"),
    "subject": ("报送单位的用户编号，不含姓名和手机号", "计入本人的碳账户"),
    "scenario": ("场景代码", "对应到方法学"),
    "started_at": ("行为开始时间，带时区", "确定适用的方法学和自然日"),
    "ended_at": ("行为结束时间，带时区", "计算时长和及时性"),
    "area": ("六位行政区划代码", "确定适用地区"),
}
"""What the columns of every record mean and are needed for; the applicant may say it better."""


def adapter_names() -> tuple[str, ...]:
    """Return the formats that intake reads."""
    return tuple(sorted(ADAPTERS))


def suggested_fields(content: ScenarioContent, *, day: date) -> tuple[DataField, ...]:
    """Return the columns to begin with: those of the format, and those that the methodology calculates with."""
    form = ADAPTERS.get(content.adapter)
    if form is None:
        return ()
    needed = needed_columns(content, day=day)
    own = [name for name in form.wanted(()) if name not in TRACES]
    found = [
        DataField(
            code=name,
            meaning=ENVELOPE_WORDS.get(name, (name, ""))[0],
            purpose=ENVELOPE_WORDS.get(name, ("", "配成一次出行"))[1],
            required=name in needed,
        )
        for name in own
    ]
    view = methodology_of(content, day=day)
    if view is not None:
        fields = methodology.loaded(view.id).fields
        read = set(form.wanted(tuple(field.code for field in fields)))
        found += [
            DataField(
                code=field.code,
                meaning=f"{field.name.zh}，{field.display_unit.zh}"
                if field.display_unit.zh
                else field.name.zh,
                purpose="核算减排量",
                required=not field.nullable,
            )
            for field in fields
            if field.code in read and field.code not in own
        ]
    return tuple(found)


def declared_columns(content: ScenarioContent) -> frozenset[str]:
    """Return the columns that the file may have: those declared, and those of the format that are no traces.

    With a field mapping, they are the ones that it reads.
    """
    if content.adapter == MAPPED:
        try:
            return frozenset(read_mapping(content.mapping).columns)
        except MappingInvalid:
            return frozenset()
    form = ADAPTERS.get(content.adapter)
    own = set(form.wanted(())) - set(TRACES) if form is not None else set()
    return frozenset(own | {field.code for field in content.fields})


def application_lacks(content: ScenarioContent, *, at: datetime) -> tuple[Lack, ...]:
    """Return what an application lacks before it can be submitted."""
    day = business_day(at)
    needed = needed_columns(content, day=day)
    found = lacks(
        content,
        classes=[one.code for one in scenario_classes(at=at)],
        adapters=sorted(ADAPTERS),
        areas=[region.code for level in LEVELS for region in rulebook.regions(level=level, at=day)],
        needed_columns=needed,
    )
    return (*found, *mapping_lacks(content, needed=needed, fields=methodology_fields(content, day=day)))


def methodology_fields(content: ScenarioContent, *, day: date) -> tuple[Field, ...]:
    """Return the fields of the methodology that would calculate; none where there is none yet."""
    view = methodology_of(content, day=day)
    return methodology.loaded(view.id).fields if view is not None else ()


def _view(row: ScenarioApplication, saved: ScenarioApplicationVersion) -> ApplicationView:
    return ApplicationView(
        id=row.pk,
        organisation_id=row.organisation_id,
        state=row.state,
        version=saved.version,
        content=content_of(saved.content),
        definition_sha256=saved.definition_sha256,
        case_id=row.case_id,
        opened_at=row.opened_at,
        saved_at=row.saved_at,
        scenario_id=row.scenario_id,
        feed_id=row.feed_id,
    )
