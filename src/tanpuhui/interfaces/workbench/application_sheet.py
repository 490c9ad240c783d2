"""An application as a sheet (申请书): what it says, what it lacks, and its samples; on its own page and in its case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import ApplicationView, SampleView
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Fact, Row
from tanpuhui.interfaces.design.scenario_words import (
    class_consequences,
    class_name,
    format_text,
    reach_text,
    tier_text,
)
from tanpuhui.interfaces.workbench.docking_words import exclusion_name, sample_verdict
from tanpuhui.interfaces.workbench.parts import Section, at_moment, digits, link, state_mark
from tanpuhui.interfaces.workbench.words import locale, methodology_state, place_names, worded


def application_context(view: ApplicationView, *, downloads: bool) -> dict[str, Any]:
    """Return what every page of an application shows; `downloads`: the reader may open its documents."""
    found = activity.samples(view.id)
    return {
        "application": view,
        "facts": _facts(view),
        "class_notes": _class_notes(view),
        "behaviour": view.content.behaviour,
        "exclusion": _exclusion(view),
        "columns": columns_section(view),
        "documents": _documents(view, downloads=downloads),
        "lacking": [
            one.text(locale()) for one in activity.application_lacks(view.content, at=timezone.now())
        ],
        "samples": samples_section(found),
        "proof": _proof(view),
    }


def _facts(view: ApplicationView) -> list[Fact]:
    said = view.content
    classes = activity.scenario_classes(at=timezone.now())
    places = place_names()
    unsaid = gettext("还没有填写")
    sender = organisation(said.partner_id) if said.partner_id else None
    applicant = organisation(view.organisation_id)
    facts = [
        Fact(gettext("申请单位"), worded(applicant.name, applicant.name_en)),
        Fact(gettext("场景"), f"{worded(said.name_zh, said.name_en) or unsaid} {said.code}".strip()),
        Fact(gettext("类别"), class_name(said.scenario_class, classes) or unsaid),
        Fact(
            gettext("适用范围"),
            " ".join(part for part in (reach_text(said.reach), places.get(said.area, said.area)) if part),
        ),
        Fact(gettext("报送数据"), worded(sender.name, sender.name_en) if sender else unsaid),
        Fact(gettext("方法学"), _methodology(view) or unsaid),
        Fact(gettext("数据格式"), format_text(said.adapter) if said.adapter else unsaid),
        Fact(gettext("证据等级"), tier_text(said.evidence_tier) or unsaid),
        Fact(gettext("证据说明"), said.evidence_note or unsaid),
        Fact(
            gettext("预计数据量"),
            gettext("每天 %(records)s 条，约 %(people)s 人")
            % {"records": digits(said.records_per_day), "people": digits(said.people)}
            if said.people
            else gettext("每天 %(records)s 条") % {"records": digits(said.records_per_day)},
        ),
    ]
    if said.default_area:
        facts.append(Fact(gettext("缺省地区"), places.get(said.default_area, said.default_area)))
    facts.append(Fact(gettext("版本"), gettext("第 %(n)s 版") % {"n": view.version}))
    facts.append(Fact(gettext("接入定义"), figures.short_digest(view.definition_sha256), mono=True))
    return facts


def _methodology(view: ApplicationView) -> SafeString | str:
    """Name the methodology with its state; only a filed one calculates."""
    found = activity.methodology_of(view.content, day=timezone.localdate())
    if found is None:
        return view.content.methodology_code
    _, state = methodology_state(found.state)
    return format_html(
        "{} {} {} {}", found.code, found.version, worded(found.name_zh, found.name_en), f"（{state}）"
        if locale() == "zh"
        else f"({state})",
    )  # fmt: skip


def _class_notes(view: ApplicationView) -> list[str]:
    """Say where the class comes from and what follows from it, as far as anybody has established it."""
    found = next(
        (
            one
            for one in activity.scenario_classes(at=timezone.now())
            if one.code == view.content.scenario_class
        ),
        None,
    )
    if found is None:
        return []
    source = gettext("出处：%(basis)s") % {"basis": found.basis}
    return [*class_consequences(found), source]


def _exclusion(view: ApplicationView) -> dict[str, Any]:
    said = view.content
    return {
        "declared": [exclusion_name(code) for code in said.excluded_from],
        "note": said.exclusion_note,
    }


def columns_section(view: ApplicationView) -> Section:
    """Return the columns with what each means and is needed for."""
    return Section(
        title=gettext("要报送的列"),
        columns=(
            Column(gettext("列名"), "mono"),
            Column(gettext("含义")),
            Column(gettext("用途")),
            Column(gettext("必填")),
        ),
        rows=[
            Row((field.code, field.meaning, field.purpose, gettext("必填") if field.required else ""))
            for field in view.content.fields
        ],
        empty=gettext("还没有列出要报送的列。"),
        empty_next=gettext("没有用途的数据不收集：每一列都写明含义和用途。"),
    )


def _documents(view: ApplicationView, *, downloads: bool) -> list[tuple[str, str, str]]:
    """Return name, address and hash of each document; no address where the reader may not open it."""
    return [
        (
            one.name,
            reverse("workbench:application-document", args=[view.id, one.sha256]) if downloads else "",
            one.sha256,
        )
        for one in view.content.documents
    ]


def samples_section(found: Sequence[SampleView]) -> Section:
    """Return the samples, newest first, each with what the rules say of it and whether a person accepted it."""
    rows = []
    for one in found:
        tone, words = sample_verdict(one.verdict)
        mark = state_mark((tone, words))
        accepted = gettext("已书面接受") if one.acceptance else ""
        rows.append(
            Row(
                (
                    one.file_name,
                    at_moment(one.received_at),
                    mark,
                    accepted if one.current else gettext("按旧的接入定义"),
                    digits(one.report.rows),
                    digits(one.report.counted),
                    digits(one.report.grams),
                ),
                url=reverse("workbench:sample", args=[one.id]),
            )
        )
    return Section(
        title=gettext("样本"),
        columns=(
            Column(gettext("文件")),
            Column(gettext("上传"), "soft"),
            Column(gettext("结论")),
            Column(""),
            Column(gettext("行数"), "num"),
            Column(gettext("能计入"), "num"),
            Column(gettext("试算减排量 g"), "num"),
        ),
        rows=rows,
        empty=gettext("还没有上传样本。"),
        empty_next=gettext("样本只用来试算和检查质量，不入账，不绑定任何人。"),
    )


def _proof(view: ApplicationView) -> dict[str, Any]:
    """Return which sample proves the present definition, or why none does."""
    try:
        found = activity.sample_in_force(view.id)
    except Refusal as refused:
        return {"refused": refused.message(locale())}
    return {
        "sample": found,
        "link": link(reverse("workbench:sample", args=[found.id]), found.file_name),
        "accepted": found.acceptance,
    }
