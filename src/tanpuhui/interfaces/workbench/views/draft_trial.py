"""Trying a draft on a few rows (试算): results with reasons, the explanation of one row, and a row kept as a worked case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from tanpuhui.foundation.kernel.errors import Invalid, Refusal
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.design.science import confidence_text, locale, mathematics, said
from tanpuhui.interfaces.workbench.acting import key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.sight import draft_in_sight
from tanpuhui.interfaces.workbench.views.draft_parts import (
    crumbs_of,
    revision_of,
    tabs_of,
    text_at,
    title_of,
)
from tanpuhui.science.engine import (
    Explanation,
    MethodologyVersion,
    Result,
    explain,
    interpret,
    reason_text,
)
from tanpuhui.science.engine.authoring import FolderChecked, check_folder
from tanpuhui.science.engine.case_text import with_case
from tanpuhui.science.engine.cases import CASES_FILE
from tanpuhui.science.engine.evaluation import Row, Scalar
from tanpuhui.science.engine.mathml import values_mathml
from tanpuhui.science.engine.model import Field
from tanpuhui.science.engine.notation import number_text, value_text
from tanpuhui.science.engine.record import Value, take_values
from tanpuhui.science.engine.record_text import MAX_ROWS, MAX_TEXT, ReadRow, read_rows
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.operations import save_draft
from tanpuhui.science.methodology.queries import DraftView


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A row with what it gives; `result` is None where the row cannot be read."""

    row: ReadRow
    result: Result | None


@require_http_methods(["GET", "HEAD", "POST"])
def trial(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Calculate pasted or uploaded rows with the draft as saved; nothing is stored."""
    view = draft_in_sight(who(request), draft_id)
    held = methodology.draft_files(draft_id)
    found = check_folder(held.files, parameter_set=held.parameter_set, cases=False)
    if request.method != "POST" or found.version is None:
        return _page(request, view, found, rows=_sample(found.version) if found.version else "")
    try:
        text = _given(request)
        tried, ignored = _try(found.version, text)
    except Refusal as refusal:
        return _page(request, view, found, rows=request.POST.get("rows", "")[:MAX_TEXT], refused=refusal)
    chosen = _chosen(request, tried)
    more: dict[str, Any] = {
        "tried": [_shown(found.version, one, chosen) for one in tried],
        "counted": sum(one.result is not None and one.result.grams is not None for one in tried),
        "ignored": ignored,
        "explained": _explained(found.version, chosen) if chosen else None,
    }
    return _page(request, view, found, rows=text, more=more)


@require_POST
def keep(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Write one trial row into cases.yaml with what the engine gives now, marked for the author to confirm."""
    actor = who(request)
    view = draft_in_sight(actor, draft_id)
    held = methodology.draft_files(draft_id)
    found = check_folder(held.files, parameter_set=held.parameter_set, cases=False)
    if found.version is None:
        raise Invalid(field="rows", why="草稿有错误，不能试算 / the draft has errors")
    try:
        tried, _ = _try(found.version, _given(request))
        chosen = _chosen(request, tried)
        if chosen is None or chosen.result is None:
            raise Invalid(field="row", why="没有这一行，或这一行看不懂 / no such row, or it cannot be read")
        before = text_at(held, CASES_FILE) if CASES_FILE in held.files else None
        text, code = with_case(before, version=found.version, values=chosen.row.values, result=chosen.result)
        save_draft(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            draft_id=draft_id,
            revision=revision_of(request),
            changes={CASES_FILE: text},
        )
    except Refusal as refusal:
        return _page(request, view, found, rows=request.POST.get("rows", "")[:MAX_TEXT], refused=refusal)
    messages.success(
        request, gettext("第 %(row)s 行已存为算例 %(code)s，请核对后写出独立的核对查询。") % {"row": chosen.row.number, "code": code}
    )  # fmt: skip
    response = see_other("workbench:draft", draft_id)
    response["Location"] = f"{reverse('workbench:draft', args=[draft_id])}?{urlencode({'file': CASES_FILE})}"
    return response


def _given(request: HttpRequest) -> str:
    """Return the rows of the file, else those of the text field. Raises Invalid."""
    upload = request.FILES.get("file")
    if upload is None:
        return request.POST.get("rows", "").replace("\r\n", "\n")
    if (upload.size or 0) > MAX_TEXT:
        raise Invalid(
            field="file", why=f"文件超过 {MAX_TEXT // 1024} KB / the file exceeds {MAX_TEXT // 1024} KB"
        )
    try:
        text: str = upload.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(field="file", why="文件不是 UTF-8 编码 / the file is not UTF-8") from None
    return text.replace("\r\n", "\n")


def _try(version: MethodologyVersion, text: str) -> tuple[list[Tried], tuple[str, ...]]:
    version.require_runnable()
    read = read_rows(version, text)
    tried = [
        Tried(row=row, result=None if row.fault else interpret(version, row.values)) for row in read.rows
    ]
    return tried, read.ignored


def _chosen(request: HttpRequest, tried: Sequence[Tried]) -> Tried | None:
    asked = request.POST.get("row", "")
    return next((one for one in tried if str(one.row.number) == asked), None)


def _shown(version: MethodologyVersion, one: Tried, chosen: Tried | None) -> dict[str, Any]:
    result = one.result
    row: dict[str, Any] = {
        "number": one.row.number,
        "inputs": [_value_text(one.row.values.get(item.code)) for item in version.fields],
        "rows": [len(_rows(one.row.values.get(group.code))) for group in version.groups],
        "chosen": chosen is not None and chosen.row.number == one.row.number,
    }
    if result is None:
        return row | {"fault": said(one.row.fault) if one.row.fault else ""}
    if result.reason is not None or result.grams is None or result.remainder_g is None:
        return row | {
            "reason": reason_text(version, result.reason or "", locale=locale()),
            "code": result.reason,
        }
    return row | {
        "grams": result.grams,
        "rest": number_text(result.remainder_g),
        "variant": said(version.variant(result.variant).name) if result.variant else "",
    }


def _rows(value: Value) -> Sequence[Mapping[str, Scalar | None]]:
    return () if value is None or isinstance(value, Decimal | str | date) else value


def _value_text(value: Value) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else value_text(value)


def _explained(version: MethodologyVersion, one: Tried) -> dict[str, Any] | None:
    """Return the steps of one row: every value with its source, every formula with the row's own numbers."""
    if one.result is None:
        return None
    told: Explanation = explain(version, one.row.values, locale=locale())
    math: dict[str, Any] = {}
    if one.result.variant is not None and one.result.steps:
        variant = version.variant(one.result.variant)
        known: dict[str, Scalar | Sequence[Row]] = {}
        take_values(version, one.row.values, known)
        known |= {p.code: p.value for p in version.parameters if p.value is not None}
        known |= one.result.steps
        math = {
            formula.code: mathematics(values_mathml(version, variant, formula, known, locale=locale()))
            for formula in variant.formulas
        }
    steps = [
        {"step": step, "math": math.get(step.code, "") if step.kind == "formula" else "", "confidence": confidence_text(step.confidence) if step.confidence else ""}
        for step in told.steps
    ]  # fmt: skip
    return {"number": one.row.number, "explanation": told, "steps": steps}


def _sample(version: MethodologyVersion) -> str:
    """Return one row as a start, of values that lie within the bounds."""
    if version.groups:
        return ""
    names = ",".join(item.code for item in version.fields)
    return f"{names}\n{','.join(_example(item) for item in version.fields)}\n"


def _example(item: Field) -> str:
    if item.kind == "choice":
        return item.options[0]
    if item.kind == "date":
        return date.fromordinal(int(item.low)).isoformat()
    middle = min(item.high, max(item.low, Decimal(10)))
    return number_text(middle)


def _page(
    request: HttpRequest,
    view: DraftView,
    found: FolderChecked,
    *,
    rows: str,
    refused: Refusal | None = None,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    version = found.version
    title = title_of(view, version)
    context: dict[str, Any] = {
        "draft": view,
        "title": title,
        "tabs": tabs_of(view, "draft-trial"),
        "rows": rows,
        "refused": refused,
        "version": version,
        "blocked": bool(version and version.blocked_by),
        "columns": [(item.code, said(item.name), said(item.display_unit)) for item in version.fields]
        if version
        else [],
        "groups": [(group.code, said(group.name)) for group in version.groups] if version else [],
        "limit": MAX_ROWS,
        "kilobytes": MAX_TEXT // 1024,
    }
    return page(
        request,
        "workbench/draft_trial.html",
        context | (more or {}),
        section="drafts",
        crumbs=crumbs_of(view, title, gettext("试算")),
        status=status_of(refused.code) if refused is not None else 200,
    )
