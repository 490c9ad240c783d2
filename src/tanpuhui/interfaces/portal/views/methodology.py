"""One version as everybody reads it: the running formulas, every value with its source, what is open, worked cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.design.science import (
    as_written,
    class_text,
    confidence_text,
    listed,
    locale,
    mathematics,
    outcome_texts,
    prose,
    said,
    status_text,
    symbol,
)
from tanpuhui.interfaces.portal.navigation import page, worded
from tanpuhui.interfaces.portal.review_words import standing_words
from tanpuhui.interfaces.portal.views.methodologies import (
    chosen_version,
    public_versions,
    purpose_text,
    standing_text,
    state_text,
)
from tanpuhui.interfaces.portal.views.reviews import is_published
from tanpuhui.science.engine import Evidence, Field, MethodologyVersion, Parameter, Variant, formula_text
from tanpuhui.science.engine.cases import CaseOutcome
from tanpuhui.science.engine.evaluation import Row, Scalar
from tanpuhui.science.engine.mathml import condition_mathml, formula_mathml, values_mathml
from tanpuhui.science.engine.model import Column, Group, Table
from tanpuhui.science.engine.notation import named_items, number_text, value_text
from tanpuhui.science.engine.record import Value, take_values
from tanpuhui.science.engine.standing import standing
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import VersionView

BYTES_PER_KB = 1024
ROWS_TOLD = 12
INPUTS_TOLD = 4


@require_safe
def version(request: HttpRequest, code: str, version: str) -> HttpResponse:
    """Show one version in sections, all of it read from the bytes and the tree that calculate."""
    view, twins = chosen_version(code, version, request.GET.get("archive", ""))
    loaded = methodology.loaded(view.id)
    files = methodology.files(view.id)
    outcomes = methodology.worked_cases(view.id)
    where = standing(loaded)
    context: dict[str, Any] = {
        "view": view,
        "name": worded(view.name_zh, view.name_en),
        "scope": said(loaded.scope),
        "label": said(loaded.label),
        "beneficiary": said(loaded.beneficiary),
        "state": standing_text(view),
        "history": _history(view),
        "reviewed": is_published(view),
        "class": class_text(view.methodology_class),
        "status": status_text(view.status),
        "purpose": purpose_text(view.purpose),
        "set_label": said(loaded.parameter_set.label) if loaded.parameter_set else "",
        "fields": [_field(item) for item in loaded.fields],
        "variants": [_variant(loaded, variant) for variant in loaded.variants],
        "groups": [_group(group) for group in loaded.groups],
        "parameters": [_parameter(loaded, parameter) for parameter in loaded.parameters],
        "tables": [_table(loaded, table) for table in loaded.tables],
        "unset": len([parameter for parameter in loaded.parameters if parameter.active is None])
        + sum(table.waiting for table in loaded.tables),
        "waiting": [
            {"code": one.item.code, "name": said(one.item.name), "blocks": _blocks(loaded, one.item)}
            for one in where.waiting
        ],
        "running": [said(variant.name) for variant in where.running],
        "confidences": _confidences(loaded),
        "rules": [
            (said(rule.message), mathematics(condition_mathml(loaded, rule.checked, locale=locale())), rule.code)
            for rule in loaded.eligibility
        ],
        "cap": _cap_text(loaded),
        "rounding": _rounding_text(loaded),
        "excluded": [_exclusion_text(one.scope, one.period, one.keep, one.group) for one in loaded.exclusions],
        "crediting": said(loaded.crediting.length) if loaded.crediting else "",
        "monitoring": [(said(one.name), said(one.method), said(one.frequency)) for one in loaded.monitoring],
        "cases": [_case(outcome) for outcome in outcomes],
        "agreeing": sum(outcome.passed for outcome in outcomes),
        "notes": _notes(files),
        "clauses": [(clause.code, as_written(clause.document), said(clause.text)) for clause in loaded.clauses],
        "twins": [(twin, state_text(twin.state)) for twin in twins],
        "versions": [
            (other, standing_text(other)) for other in _one_a_number(code) if other.version != view.version
        ],
        "files": [(path, len(content)) for path, content in sorted(files.items())],
        "archive_size": f"{sum(map(len, files.values())) / BYTES_PER_KB:.1f} kB",
    }  # fmt: skip
    crumbs = (Crumb(gettext("方法学"), reverse("portal:methodologies")), Crumb(f"{view.code} {view.version}"))
    return page(request, "portal/methodology.html", context, section="methodologies", crumbs=crumbs)


def _history(view: VersionView) -> list[dict[str, Any]]:
    """Return what became of a filed version, from its filing on, oldest first."""
    if view.filed_at is None:
        return []
    lines: list[dict[str, Any]] = [
        {
            "on": view.valid_from,
            "state": state_text("filed"),
            "reason": "",
            "leaf_id": view.leaf_id,
            "until": None,
            "next": None,
        }
    ]
    for one in methodology.status_history([view.id]):
        successor = methodology.version(one.successor_id) if one.successor_id is not None else None
        lines.append(
            {
                "on": one.effective_on,
                "state": standing_words(one.kind),
                "reason": one.reason,
                "leaf_id": one.leaf_id,
                "until": one.usable_until,
                "next": successor,
            }
        )
    return lines


def _one_a_number(code: str) -> list[Any]:
    """Return one public row for each version number, newest first."""
    found: dict[str, Any] = {}
    for view in public_versions(code):
        if view.version not in found or view.state == "filed":
            found[view.version] = view
    return list(found.values())


def _field(item: Field) -> dict[str, Any]:
    return {
        "code": item.code,
        "name": said(item.name),
        "symbol": symbol(item.symbol),
        "unit": said(item.display_unit),
        "bounds": _bounds(item),
        "places": item.places if item.kind == "number" else "",
        "required": not item.nullable,
        "trace": item.privacy == "trace",
        "note": said(item.note),
    }


def _bounds(item: Field) -> str:
    if item.kind == "choice":
        return " / ".join(item.options)
    if item.kind == "date":
        return f"{date.fromordinal(int(item.low))} – {date.fromordinal(int(item.high))}"
    return f"{number_text(item.low)} – {number_text(item.high)}"


def _group(group: Group) -> dict[str, Any]:
    """Return the rows that a record carries, field by field."""
    return {
        "code": group.code,
        "name": said(group.name),
        "least": group.min_rows,
        "most": group.max_rows,
        "fields": [_field(item) for item in group.fields],
    }


def _table(loaded: MethodologyVersion, table: Table) -> dict[str, Any]:
    """Return a look-up table: every cell, the open ones and the numbers that are shown and never calculate."""
    clauses = {clause.code: as_written(clause.document) for clause in loaded.clauses}
    return {
        "code": table.code,
        "name": said(table.name),
        "note": said(table.note),
        "keys": [(said(key.name), key.key.unit.shown(locale()), key.key.kind) for key in table.keys],
        "columns": [
            (column.code, said(column.name), symbol(column.symbol), column.unit.shown(locale()))
            for column in table.columns
        ],
        "rows": [
            {"keys": keys, "cells": [_cell(column, row) for column in table.columns], "from": _row_source(table, row)}
            for row, keys in enumerate(table.rows)
        ],
        "waiting": table.waiting,
        "from_set": table.origin == "parameter_set",
        "document": clauses.get(table.clause, table.clause),
        "clause": table.clause if table.clause in clauses else "",
    }  # fmt: skip


def _cell(column: Column, row: int) -> dict[str, str]:
    if row in column.evidence:
        return {"value": number_text(column.evidence[row].value)}
    if row in column.suggestions:
        suggested = column.suggestions[row]
        return {"suggested": number_text(suggested.value), "grade": suggested.confidence}
    return {}


def _row_source(table: Table, row: int) -> list[dict[str, Any]]:
    """Return the evidence of a row's cells, each once."""
    found: list[dict[str, Any]] = []
    for column in table.columns:
        one = column.evidence.get(row) or column.suggestions.get(row)
        if one is not None:
            told = _evidence(one)
            told.pop("value")
            if told not in found:
                found.append(told)
    return found


def _variant(loaded: MethodologyVersion, variant: Variant) -> dict[str, Any]:
    """Return the formulas of a variant: typeset, in words, with unit and clause, and what each symbol stands for."""
    clauses = {clause.code: as_written(clause.document) for clause in loaded.clauses}
    lines = formula_text(loaded, variant, locale=locale())
    return {
        "code": variant.code,
        "name": said(variant.name),
        "when": _when(loaded, variant),
        "where": mathematics(condition_mathml(loaded, variant.where, variant=variant, locale=locale()))
        if variant.where
        else "",
        "unset": loaded.variant_unset(variant),
        "lines": [
            {
                "code": formula.code,
                "name": line.name,
                "words": f"{line.name} = {line.formula}",
                "unit": line.unit,
                "math": mathematics(formula_mathml(loaded, variant, formula, locale=locale())),
                "clause": formula.clause if formula.clause in clauses else "",
                "document": clauses.get(formula.clause, formula.clause),
                "note": said(formula.note),
            }
            for formula, line in zip(variant.formulas, lines, strict=True)
        ],
        "symbols": _symbols(loaded, variant),
    }  # fmt: skip


def _when(loaded: MethodologyVersion, variant: Variant) -> str:
    """Say for which records a variant is used."""
    present = [said(loaded.activity_field(code).name) for code in variant.present]
    absent = [said(loaded.activity_field(code).name) for code in variant.absent]
    parts = []
    if present:
        parts.append(gettext("记录里有%(fields)s") % {"fields": listed(present)})
    if absent:
        parts.append(gettext("记录里没有%(fields)s") % {"fields": listed(absent)})
    return listed(parts)


def _symbols(loaded: MethodologyVersion, variant: Variant) -> list[dict[str, Any]]:
    """Return what each field and parameter of a variant stands for, in the order of reading."""
    used = dict.fromkeys(
        one.code for formula in variant.formulas for one in formula.checked.symbols() if one.role != "result"
    )
    items = {item.code: item for item in named_items(loaded, None)}
    return [_meaning(items[code]) for code in used if code in items]


def _meaning(item: Any) -> dict[str, Any]:
    """Return a symbol, its name, and where its number comes from: a parameter, a table, or the record."""
    mark = "" if isinstance(item, Group) else item.symbol
    named = {"code": item.code, "name": said(item.name), "symbol": symbol(mark)}
    if isinstance(item, Group):
        return named | {"recorded": True}
    if isinstance(item, Field):
        return named | {"unit": said(item.display_unit), "recorded": True}
    unit = item.unit.shown(locale())
    if isinstance(item, Column):
        return named | {"unit": unit, "tabled": True, "unset": item.grid.digits is None}
    value = number_text(item.active.value) if item.active else ""
    return named | {"unit": unit, "value": value, "unset": item.active is None}


def _blocks(loaded: MethodologyVersion, parameter: Parameter | Column) -> str:
    """Say what a parameter without value blocks."""
    if parameter.code in loaded.blocked_by:
        return gettext("整个版本不能核算")
    blocked = [said(v.name) for v in loaded.variants if parameter.code in loaded.variant_unset(v)]
    return gettext("不能核算：%(where)s") % {"where": listed(blocked)} if blocked else gettext("没有公式用到")


def _parameter(loaded: MethodologyVersion, parameter: Parameter) -> dict[str, Any]:
    """Return a parameter with its value, or what its absence blocks, and every other value that stands beside it."""
    clauses = {clause.code: as_written(clause.document) for clause in loaded.clauses}
    active = parameter.active
    clause = (active.clause if active else "") or parameter.clause
    return {
        "code": parameter.code,
        "name": said(parameter.name),
        "symbol": symbol(parameter.symbol),
        "unit": parameter.unit.shown(locale()),
        "active": _evidence(active) if active else None,
        "blocks": "" if active else _blocks(loaded, parameter),
        "suggestion": _evidence(parameter.suggestion) if parameter.suggestion else None,
        "alternatives": [_evidence(one) for one in parameter.alternatives],
        "from_set": parameter.origin == "parameter_set",
        "note": said(parameter.note),
        "clause": clause if clause in clauses else "",
        "document": clauses.get(clause, clause),
    }


def _evidence(one: Evidence) -> dict[str, Any]:
    facts = [
        (gettext("地区"), one.region),
        (gettext("数据年"), one.data_year),
        (gettext("口径"), one.basis),
        (gettext("发布"), one.publication),
        (gettext("有效期"), f"{one.valid_from} – {one.valid_to}" if one.valid_from or one.valid_to else ""),
    ]
    return {
        "value": number_text(one.value),
        "source": said(one.source),
        "url": one.url if one.url.startswith("https://") else "",
        "confidence": confidence_text(one.confidence),
        "grade": one.confidence,
        "label": said(one.label),
        "facts": [(label, as_written(fact)) for label, fact in facts if fact],
    }


def _confidences(loaded: MethodologyVersion) -> list[tuple[str, int]]:
    """Count the calculating values by how far they can be trusted, so that the page says it before the table does."""
    found: dict[str, int] = {}
    for parameter in loaded.parameters:
        if parameter.active is not None:
            text = confidence_text(parameter.active.confidence)
            found[text] = found.get(text, 0) + 1
    return sorted(found.items(), key=lambda pair: -pair[1])


def _case(outcome: CaseOutcome) -> dict[str, Any]:
    """Return a worked case: inputs, what is expected, what the running engine gives, and its steps in numbers."""
    case, version = outcome.case, outcome.version
    expected, found = outcome_texts(outcome)
    inputs = [
        (said(item.name), _given(case.inputs.get(item.code)), _unit_of(case.inputs, item))
        for item in version.fields
    ]
    inputs += [
        (said(group.name), _rows_given(group, case.inputs.get(group.code)), "") for group in version.groups
    ]
    return {
        "code": case.code,
        "name": said(case.name),
        "origin": confidence_text(case.origin),
        "grade": case.origin,
        "inputs": inputs,
        "many": len(inputs) > INPUTS_TOLD,
        "expected": expected,
        "found": found,
        "passed": outcome.passed,
        "set": said(case.parameter_set.label) if case.parameter_set else "",
        "variant": said(version.variant(outcome.result.variant).name)
        if outcome.result and outcome.result.variant
        else "",
        "steps": _steps(outcome),
        "check": case.check_sql,
    }


def _unit_of(inputs: Mapping[str, Value], item: Field) -> str:
    return said(item.display_unit) if inputs.get(item.code) is not None else ""


def _given(value: Value) -> str:
    if value is None:
        return gettext("没有记录")
    return value if isinstance(value, str) else value_text(value)


def _rows_given(group: Group, rows: Value) -> str:
    """Write the rows of a group as one text, so many as a reader may want to see."""
    several = rows if isinstance(rows, Sequence) and not isinstance(rows, str) else ()
    told = [
        " ".join(f"{said(item.name)} {_given(row.get(item.code))}" for item in group.fields)
        for row in several[:ROWS_TOLD]
    ]
    if len(several) > ROWS_TOLD:
        told.append(gettext("共 %(n)s 行") % {"n": len(several)})
    return "; ".join(told) or gettext("没有记录")


def _steps(outcome: CaseOutcome) -> list[tuple[str, Any]]:
    result, version = outcome.result, outcome.version
    if result is None or result.variant is None or not result.steps:
        return []
    variant = version.variant(result.variant)
    known: dict[str, Scalar | Sequence[Row]] = {}
    take_values(version, outcome.case.inputs, known)
    known |= {p.code: p.value for p in version.parameters if p.value is not None}
    known |= result.steps
    return [
        (said(formula.name), mathematics(values_mathml(version, variant, formula, known, locale=locale())))
        for formula in variant.formulas
    ]


def _notes(files: Any) -> Any:
    """Return the author's text for readers in the page's language, else in the other."""
    for language in (locale(), "zh", "en"):
        content = files.get(f"text.{language}.md")
        if content is not None:
            return prose(content.decode("utf-8", errors="replace"))
    return ""


def _cap_text(loaded: MethodologyVersion) -> str:
    if loaded.cap is None:
        return gettext("没有活动量上限")
    parameter = loaded.parameter(loaded.cap.parameter)
    limit = (
        gettext("未设值")
        if parameter.value is None
        else f"{number_text(parameter.value)} {parameter.unit.shown(locale())}"
    )
    return gettext("%(scope)s%(period)s最多 %(limit)s，超出的部分不计入") % {
        "scope": _scope_text(loaded.cap.scope),
        "period": _period_text(loaded.cap.period),
        "limit": limit,
    }


def _scope_text(scope: str) -> str:
    return {
        "account": gettext("每个账户"),
        "household": gettext("每户"),
        "vehicle": gettext("每辆车"),
        "device": gettext("每台设备"),
        "project": gettext("每个项目"),
    }[scope]


def _period_text(period: str) -> str:
    return {
        "trip": gettext("每次"),
        "day": gettext("每天"),
        "week": gettext("每周"),
        "month": gettext("每月"),
        "year": gettext("每年"),
        "lifetime": gettext("终身"),
    }[period]


def _exclusion_text(scope: str, period: str, keep: str, group: str) -> str:
    """Say of several results of one subject in one period which one counts."""
    kept = {
        "greatest": gettext("减排量最大的一项"),
        "evidence": gettext("证据等级最高的一项"),
        "first": gettext("最先的一项"),
    }[keep]
    return gettext("同组（%(group)s）%(scope)s%(period)s只计入%(kept)s") % {
        "group": group,
        "scope": _scope_text(scope),
        "period": _period_text(period),
        "kept": kept,
    }


def _rounding_text(loaded: MethodologyVersion) -> str:
    if loaded.rounding.rule == "ceiling":
        return gettext("每条记录的排放量向上取整到克，余数随记录留存，不累计。")
    return gettext("每条记录向下取整到克，余数随记录留存，不累计。")
