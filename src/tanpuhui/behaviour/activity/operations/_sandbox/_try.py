"""Try a sample: read, validate, find the methodology, invent the people, calculate, measure; keep report and rows."""

from __future__ import annotations

import hashlib
import io
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from tanpuhui.behaviour.activity.adapters import Adapter, reading_adapter
from tanpuhui.behaviour.activity.adapters.contents import (
    FILE_CONTEXT,
    content_of,
    report_json,
    report_of,
    sealed_bytes,
    sealed_rows,
)
from tanpuhui.behaviour.activity.adapters.reading import format_of
from tanpuhui.behaviour.activity.adapters.sampling import writing_of
from tanpuhui.behaviour.activity.adapters.tables import open_tables
from tanpuhui.behaviour.activity.domain import FileUnusable
from tanpuhui.behaviour.activity.domain.applications import ScenarioContent, tryable
from tanpuhui.behaviour.activity.domain.mappings import feed_adapter
from tanpuhui.behaviour.activity.domain.quality import (
    DefinitionIncomplete,
    QualityReport,
    SampleTooLarge,
    SandboxClosed,
)
from tanpuhui.behaviour.activity.models import Sample, ScenarioApplicationVersion
from tanpuhui.behaviour.activity.operations._apply import APPLICANTS, locked_application, require_party
from tanpuhui.behaviour.activity.operations._post_batch._calculate import calculate_versions, settle_results
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk, FeedTerms
from tanpuhui.behaviour.activity.operations._post_batch._once import drop_repeats_in_file
from tanpuhui.behaviour.activity.operations._post_batch._read import read
from tanpuhui.behaviour.activity.operations._post_batch._resolve import (
    Found,
    find_methodologies,
    usable_version,
)
from tanpuhui.behaviour.activity.operations._post_batch._validate import validate
from tanpuhui.behaviour.activity.operations._sandbox._measure import (
    Trial,
    measure,
    measure_unusable,
    rows_of,
    rows_of_unusable,
)
from tanpuhui.behaviour.activity.operations._sandbox._people import invent_people
from tanpuhui.behaviour.activity.queries._applications import application_lacks, methodology_of
from tanpuhui.behaviour.activity.queries._reading_terms import field_codes, limits
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.rulebook import queries as rulebook

SIZE_PARAMETER = "sandbox.file_bytes_max"
RETENTION_PARAMETER = "sandbox.retention_days"
NEEDED_TO_TRY = frozenset(
    {"code", "area", "adapter", "evidence_tier", "partner_id", "fields", "mapping", "methodology_code"}
)
"""The fields of an application without which there is no definition to try a sample against."""
NO_LIMIT_DAYS = 36_500
"""Where nobody set how late a record may come, the sandbox refuses none for it and says that the rule is missing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleTried:
    """A sample and what the rules say of it."""

    application_id: int
    sample_id: int
    verdict: str
    rows: int
    counted: int


@operation(roles=APPLICANTS, subject="scenario_application:{application_id}")
def try_sample(
    *,
    actor: Actor,
    at: datetime,
    application_id: int,
    file_name: str,
    media_type: str,
    content: bytes,
    idempotency_key: str,
) -> SampleTried:
    """Take a sample file through the steps of posting with invented people, and book nothing.

    By the applicant, the partner that the application names, or a maker of the area. The sample is measured against
    the newest version of the application. Raises NotFound, NotPermitted, SandboxClosed, DefinitionIncomplete,
    SampleTooLarge, ParameterUnset (sandbox.file_bytes_max, intake.file_bytes_max, intake.line_bytes_max).
    """
    row = locked_application(application_id)
    saved = ScenarioApplicationVersion.objects.get(application_id=row.pk, version=row.version)
    said = content_of(saved.content)
    require_party(actor, row, said, operation="activity.try_sample")
    if not tryable(row.state, said):
        raise SandboxClosed
    lacking = [one for one in application_lacks(said, at=at) if one.field in NEEDED_TO_TRY]
    if lacking:
        raise DefinitionIncomplete(
            zh="；".join(one.zh for one in lacking), en="; ".join(one.en for one in lacking)
        )
    most = int(str(rulebook.require_parameter(key=SIZE_PARAMETER, at=at).value))
    if len(content) > most:
        raise SampleTooLarge(most=most)
    # A small file can hold a large one: what comes out of it is bounded like the file itself.
    bounds = replace(limits(at), file_bytes_max=most)
    same = Sample.objects.filter(application=row, definition_sha256=saved.definition_sha256)
    before = same.order_by("-id").first()
    form = reading_adapter(feed_adapter(said.adapter, said.code), document=said.mapping)
    kind = format_of(file_name, media_type)
    trial = Trial(
        said=said,
        at=at,
        writing=writing_of(content, file_format=kind, limits=bounds, style=form.style),
        file_format=kind,
        before=report_of(before.report) if before is not None else None,
        bounds=bounds,
    )
    report, rows = _run(trial, form, content=content, file_name=file_name, media_type=media_type)
    days = rulebook.parameter(key=RETENTION_PARAMETER, at=at).value
    sample = Sample.objects.create(
        application=row,
        version=row.version,
        definition_sha256=saved.definition_sha256,
        file_name=file_name,
        media_type=media_type,
        size_bytes=len(content),
        file_sha256=hashlib.sha256(content).hexdigest(),
        received_at=at,
        sent_by_kind=actor.kind,
        sent_by_id=actor.id,
        report=report_json(report),
        verdict=report.verdict,
        content=sealed_bytes(content, context=FILE_CONTEXT),
        rows=sealed_rows(rows),
        erase_on=business_day(at) + timedelta(days=int(days)) if days is not None else None,
    )
    return SampleTried(
        application_id=row.pk,
        sample_id=sample.pk,
        verdict=report.verdict,
        rows=report.rows,
        counted=report.counted,
    )


def _run(
    trial: Trial, form: Adapter, *, content: bytes, file_name: str, media_type: str
) -> tuple[QualityReport, Any]:
    """Return the report and the rows of a sample."""
    said, at = trial.said, trial.at
    view = methodology_of(said, day=business_day(at))
    with closing(open_tables()) as tables:
        desk = _desk(trial, tables, file_sha256=hashlib.sha256(content).hexdigest())
        fields = field_codes([view.id] if view is not None else [])
        try:
            read(
                desk,
                stream=io.BytesIO(content),
                form=form,
                file_name=file_name,
                media_type=media_type,
                fields=fields,
                bounds=trial.bounds,
            )
        except FileUnusable as error:
            return measure_unusable(trial, error), rows_of_unusable()
        validate(desk, fields)
        find_methodologies(desk, _version_to_try(said))
        invent_people(desk)
        calculate_versions(desk)
        settle_results(desk)
        drop_repeats_in_file(desk)
        return measure(desk, trial), rows_of(desk)


def _desk(trial: Trial, tables: Any, *, file_sha256: str) -> Desk:
    said, at = trial.said, trial.at
    days = rulebook.parameter(key="intake.lateness_days_max", at=at, scope=said.code).value
    desk = Desk(
        tables=tables,
        batch_id=0,
        partner_id=said.partner_id,
        file_sha256=file_sha256,
        received_at=at,
        at=at,
        feeds={
            said.code: FeedTerms(
                scenario=said.code,
                evidence_tier=said.evidence_tier,
                default_area=said.default_area,
                lateness_days_max=int(days) if days is not None else NO_LIMIT_DAYS,
            )
        },
    )
    desk.open()
    return desk


def _version_to_try(said: ScenarioContent) -> Any:
    """Return the look-up of the sandbox: the filed version of the day, else the one that was applied for."""

    def look_up(desk: Desk, scenario: str, day: date) -> Found:
        view = methodology_of(said, day=day)
        if view is None:
            return None, "NO_METHODOLOGY", f"{scenario} {day}"
        return usable_version(desk, view.id)

    return look_up
