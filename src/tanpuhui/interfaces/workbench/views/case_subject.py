"""What a case is about (办件的对象): a methodology version, a monitoring report, a batch, or a settlement sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import recalculation
from tanpuhui.behaviour.carbon_accounts.queries import PoolView, pool
from tanpuhui.credits.projects.queries import ReportView, report
from tanpuhui.credits.registry.queries import issuances
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.workflow.queries import CaseView, TimelineLine
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Fact, Row
from tanpuhui.interfaces.design.science import confidence_text, mathematics, symbol
from tanpuhui.interfaces.design.tags import writing
from tanpuhui.interfaces.workbench.parts import at_moment, digits, state_mark
from tanpuhui.interfaces.workbench.recalculation_sheet import sheet
from tanpuhui.interfaces.workbench.views import case_about
from tanpuhui.interfaces.workbench.views.admission_subject import admission_part
from tanpuhui.interfaces.workbench.views.admissions import admission_part as programme_part
from tanpuhui.interfaces.workbench.views.agreements import agreement_end_part, agreement_part
from tanpuhui.interfaces.workbench.views.assessments import assessment_part
from tanpuhui.interfaces.workbench.views.batches import reason_words
from tanpuhui.interfaces.workbench.views.claw_backs import claw_back_part
from tanpuhui.interfaces.workbench.views.filing_parts import filing_parts, term_facts
from tanpuhui.interfaces.workbench.views.freezes import freeze_part
from tanpuhui.interfaces.workbench.views.record_appeals import appeal_part, disowning_part
from tanpuhui.interfaces.workbench.views.scenario_subject import application_part, standing_part
from tanpuhui.interfaces.workbench.views.settlements import line_section, sheet_facts
from tanpuhui.interfaces.workbench.words import batch_state, in_english, locale, purpose_of_numbers, worded
from tanpuhui.science.engine import MethodologyVersion, Parameter, formula_text
from tanpuhui.science.engine.mathml import formula_mathml
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import VersionView
from tanpuhui.uses.rewards.queries import settlement_lines, settlement_sheet

RESENT_SHOWN = 20


def facts_of(view: CaseView, lines: Sequence[TimelineLine]) -> dict[str, Any]:
    """Return what the page says of the case's subject; a kind without a page of its own is named by its number."""
    found = PARTS.get(view.subject_type)
    if found is None:
        return {"subject": f"{view.subject_type} {view.subject_id}"}
    template, part = found
    return {"subject_part": f"workbench/parts/{template}.html", **part(view, lines)}


def _filing(view: CaseView) -> dict[str, Any]:
    found = methodology.filing(int(view.subject_id))
    return {"version": _version(found.version_id), "filing": filing_parts(found, view)}


def _correction(batch_id: int, view: CaseView) -> dict[str, Any]:
    """Return what the partner is to mend, reason by reason, and what they have sent since they were asked."""
    found = activity.batch_report(batch_id, limit=0)
    words = reason_words(found)
    partner_id = found.batch.partner_id
    resent = activity.resent_since_asked(partner_id=partner_id, case_id=view.case_id)
    mendable = {code: n for code, n in found.reasons.items() if activity.rows_to_mend({code: n})}
    return {
        "facts": [
            Fact(
                gettext("文件"),
                found.batch.file_name,
                url=reverse("workbench:batch", args=[batch_id]),
                mono=True,
            ),
            Fact(gettext("收到"), at_moment(found.batch.received_at)),
            Fact(gettext("行数"), digits(found.batch.rows)),
            Fact(gettext("可以由数据伙伴更正"), digits(activity.rows_to_mend(found.reasons))),
        ],
        "batch_id": batch_id,
        "fault": found.fault_text(locale()),
        "reasons": sorted(((words[code], n) for code, n in mendable.items()), key=lambda pair: -pair[1]),
        "asked_at": resent.asked_at,
        "columns": (
            Column(gettext("文件"), "mono"),
            Column(gettext("收到"), "soft"),
            Column(gettext("状态")),
            Column(gettext("行数"), "num"),
            Column(gettext("计入"), "num"),
        ),
        "rows": [
            Row(
                (
                    one.file_name,
                    at_moment(one.received_at),
                    state_mark(batch_state(one.state)),
                    digits(one.rows),
                    digits(one.verdicts.get("counted", 0) + one.verdicts.get("clipped", 0)),
                ),
                url=reverse("workbench:batch", args=[one.id]),
            )
            for one in resent.batches[:RESENT_SHOWN]
        ],
        "more": max(0, len(resent.batches) - RESENT_SHOWN),
    }


def _sheet(sheet_id: int) -> dict[str, Any]:
    """Return the sheet that the merchant confirms, with every coupon it counts."""
    found = settlement_sheet(sheet_id)
    lines = line_section(settlement_lines(merchant_id=found.merchant_id, sheet_id=sheet_id))
    return {"facts": sheet_facts(found), "columns": lines.columns, "rows": lines.rows}


def _report(report_id: int, view: CaseView, lines: Sequence[TimelineLine]) -> dict[str, Any]:
    found = report(report_id=report_id)
    source = _pool(found.pool_id)
    issued = (
        next((one for one in issuances() if one.report_id == report_id), None) if view.closed_at else None
    )
    prepared = next((line for line in reversed(lines) if line.outcome == "prepare"), None)
    return {
        "view": found,
        "pool": source,
        "facts": _report_facts(found, source),
        "purpose": purpose_of_numbers(source.purpose) if source else "",
        "check": _check(found, source) if view.state == "prepared" else None,
        "prepared": prepared if view.state == "prepared" else None,
        "issued": issued,
    }


def _report_facts(found: ReportView, source: PoolView | None) -> list[Fact]:
    facts = [
        Fact(
            gettext("项目"),
            f"{found.project.code} {worded(found.project.name_zh, found.project.name_en)}",
            url=reverse("workbench:project", args=[found.project.project_id]),
        ),
        Fact(gettext("监测期"), f"{found.first_day:%Y-%m-%d} {figures.EN_DASH} {found.last_day:%Y-%m-%d}"),
        Fact(gettext("方法学"), "; ".join(found.methodologies)),
        Fact(
            gettext("入池的入账"),
            gettext("%(n)s 笔") % {"n": digits(source.postings)} if source else gettext("没有读到这个池"),
        ),
        Fact(gettext("池根哈希"), found.pool_root, mono=True),
    ]
    if found.verified_tonnes is not None and found.verifier_id is not None:
        verifier = organisation(found.verifier_id)
        when = f"{figures.local_day(found.verified_at):%Y-%m-%d}" if found.verified_at else ""
        said = gettext("%(verifier)s 于 %(day)s 核查 %(tonnes)s t") % {
            "verifier": worded(verifier.name, verifier.name_en),
            "day": when,
            "tonnes": digits(found.verified_tonnes),
        }
        facts.append(Fact(gettext("核查声明"), said))
    else:
        facts.append(Fact(gettext("核查声明"), gettext("还没有，核查机构出具以后会写在这里")))
    return facts


def _check(found: ReportView, source: PoolView | None) -> dict[str, Any]:
    """Return what the maker prepared beside what it goes back to: four figures that must be one."""
    figures_ = [
        (gettext("归集池"), source.tonnes if source else None),
        (gettext("监测报告"), found.tonnes),
        (gettext("核查声明"), found.verified_tonnes),
        (gettext("拟签发"), found.verified_tonnes),
    ]
    known = {value.value for _, value in figures_ if value is not None}
    return {
        "figures": figures_,
        "agrees": len(known) == 1 and all(value is not None for _, value in figures_),
    }


def _pool(pool_id: int) -> PoolView | None:
    try:
        return pool(pool_id)
    except NotFound:
        return None


def _version(version_id: int) -> dict[str, Any]:
    view = methodology.version(version_id)
    context: dict[str, Any] = {"view": view, "purpose": purpose_of_numbers(view.purpose)}
    try:
        loaded = methodology.loaded(version_id)
    except Refusal as refused:
        return context | {"unreadable": refused.message(locale())}
    return context | {
        "scope": loaded.scope.text(locale()),
        "label": loaded.label.text(locale()),
        "variants": [
            {
                "name": variant.name.text(locale()),
                "lines": [
                    (mathematics(formula_mathml(loaded, variant, formula, locale=locale())), line)
                    for formula, line in zip(
                        variant.formulas, formula_text(loaded, variant, locale=locale()), strict=True
                    )
                ],
                "unset": loaded.variant_unset(variant),
            }
            for variant in loaded.variants
        ],
        "columns": (
            Column(gettext("符号"), "symbol"),
            Column(gettext("含义")),
            Column(gettext("取值"), "num"),
            Column(gettext("单位"), "soft"),
            Column(gettext("来源"), "soft"),
            Column(gettext("可信度")),
        ),
        "rows": [_parameter_row(loaded, parameter) for parameter in loaded.parameters],
        "unset": sum(1 for parameter in loaded.parameters if parameter.active is None),
        "rules": [(rule.message.text(locale()), rule.code) for rule in loaded.eligibility],
        "before": _filed_before(view),
    }


def _filed_before(view: VersionView) -> VersionView | None:
    """Return the filed version of another number that this one revises, for comparison."""
    others = methodology.versions_of(view.code)
    return next((one for one in others if one.state == "filed" and one.version != view.version), None)


def _parameter_row(loaded: MethodologyVersion, parameter: Parameter) -> Row:
    """Return a parameter as a row; one without value is tinted and says what it blocks."""
    start = (symbol(parameter.symbol), parameter.name.text(locale()))
    unit = writing.unit(parameter.unit.shown(locale()))
    if parameter.active is not None:
        active = parameter.active
        remark = active.label.text(locale())
        cells = (
            *start,
            f"{active.value:f}",
            unit,
            active.source.text(locale()),
            confidence_text(active.confidence),
        )
        return Row(cells, remark=remark)
    blocked = [
        variant.name.text(locale())
        for variant in loaded.variants
        if parameter.code in loaded.variant_unset(variant)
    ]
    where = (", " if in_english() else "、").join(blocked)
    remark = gettext("没有取值，不能核算：%(where)s。由主管方确定。") % {"where": where} if blocked else ""
    return Row((*start, figures.unset(), unit, parameter.note.text(locale()), ""), unset=True, remark=remark)


Part = Callable[[CaseView, Sequence[TimelineLine]], dict[str, Any]]

PARTS: Mapping[str, tuple[str, Part]] = {
    "monitoring_report": (
        "subject_report",
        lambda view, lines: {"report": _report(int(view.subject_id), view, lines)},
    ),
    "decision": ("subject_about", case_about.decision_part),
    "case": ("subject_about", case_about.case_part),
    "methodology_version": ("subject_version", lambda view, _: {"version": _version(int(view.subject_id))}),
    "methodology_filing": ("subject_filing", lambda view, _: _filing(view)),
    "expert_term": (
        "subject_term",
        lambda view, _: {"term": term_facts(methodology.expert_term(int(view.subject_id)))},
    ),
    "batch": ("subject_correction", lambda view, _: {"correction": _correction(int(view.subject_id), view)}),
    "settlement_sheet": ("subject_sheet", lambda view, _: {"sheet": _sheet(int(view.subject_id))}),
    "recalculation": (
        "subject_recalculation",
        lambda view, _: {"recalculation": sheet(recalculation(int(view.subject_id)), in_case=True)},
    ),
    "scenario_application": ("subject_application", lambda view, _: application_part(view)),
    "scenario_standing": (
        "subject_standing",
        lambda view, _: {"scenario_standing": standing_part(int(view.subject_id))},
    ),
    "account_freeze": ("subject_freeze", lambda view, _: {"freeze": freeze_part(int(view.subject_id))}),
    "impact_assessment": (
        "subject_assessment",
        lambda view, _: {"impact_assessment": assessment_part(int(view.subject_id))},
    ),
    "data_agreement": (
        "subject_agreement",
        lambda view, _: {"data_agreement": agreement_part(int(view.subject_id))},
    ),
    "data_agreement_end": (
        "subject_agreement_end",
        lambda view, _: {"data_agreement": agreement_end_part(int(view.subject_id))},
    ),
    "claw_back": ("subject_claw_back", lambda view, _: {"claw_back": claw_back_part(int(view.subject_id))}),
    "record_disowning": (
        "subject_disowning",
        lambda view, _: {"disowning": disowning_part(int(view.subject_id))},
    ),
    "record_appeal": ("subject_appeal", lambda view, _: {"appeal": appeal_part(int(view.subject_id))}),
    "programme_admission": (
        "subject_programme",
        lambda view, _: {"programme": programme_part(int(view.subject_id))},
    ),
    "organisation_application": (
        "subject_admission",
        lambda view, _: {"admission": admission_part(int(view.subject_id))},
    ),
}
"""Subject type → the template of its part of the case page (`workbench/parts/`), and what the part says."""
