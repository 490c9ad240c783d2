"""Tags of desk and register: tables, inbox, cases, opinions, proofs, facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.template import RequestContext
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from tanpuhui.interfaces.design import scales
from tanpuhui.interfaces.design.parts import Fact

register = template.Library()
Shown = str | SafeString


@register.inclusion_tag("design/parts/filter_tabs.html")
def filter_tabs(tabs: Sequence[Any], label: str = "") -> dict[str, Any]:
    """`{% filter_tabs tabs "按事项筛选" %}`: Tab with counts."""
    return {"tabs": tabs, "label": label or gettext("筛选")}


@register.inclusion_tag("design/parts/register_table.html")
def register_table(
    columns: Sequence[Any], rows: Sequence[Any], caption: str = "", empty: str = ""
) -> dict[str, Any]:
    """`{% register_table columns rows "持有的序列号段" empty="还没有…" %}`: Column and Row; numbers right, hairlines, no zebra."""
    return {
        "columns": columns,
        "rows": [{"row": row, "cells": list(zip(row.cells, columns, strict=True))} for row in rows],
        "caption": caption,
        "empty": empty,
        "span": max(len(columns) - 1, 1),
    }


@register.inclusion_tag("design/parts/inbox_table.html")
def inbox_table(rows: Sequence[Any], caption: str = "") -> dict[str, Any]:
    """`{% inbox_table rows "待办" %}`: InboxRow sorted by time left; each deadline as words and as a gauge of working days."""
    return {"rows": [scales.inbox_scale(row) for row in rows], "caption": caption or gettext("待办")}


@register.inclusion_tag("design/parts/source_list.html")
def source_list(rows: Sequence[Any]) -> dict[str, Any]:
    """`{% source_list rows %}`: SourceRow with sparks."""
    return {"rows": rows}


@register.inclusion_tag("design/parts/case_header.html")
def case_header(case: Any) -> dict[str, Any]:
    """`{% case_header case %}`: a CaseHeader with its steps bar."""
    return {"case": case} | scales.deadline_scale(case.days_left, case.days_total, stopped=case.stopped)


@register.inclusion_tag("design/parts/steps_bar.html")
def steps_bar(steps: Sequence[Any]) -> dict[str, Any]:
    """`{% steps_bar steps %}`: Step in order; pine done, ochre now, grey to come."""
    return {"steps": steps}


@register.inclusion_tag("design/parts/timeline.html")
def timeline(entries: Sequence[Any]) -> dict[str, Any]:
    """`{% timeline entries %}`: TimelineEntry, newest first."""
    return {"entries": entries}


@register.inclusion_tag("design/parts/opinion_bar.html", takes_context=True)
def opinion_bar(
    context: RequestContext,
    action_url: str,
    decisions: Sequence[Any],
    submit_label: str,
    *,
    minimum: int = 20,
    opinion: str = "",
    recuse_url: str = "",
    key: str = "",
    error: str = "",
) -> dict[str, Any]:
    """`{% opinion_bar url decisions "签名并提交" minimum=20 recuse_url=url key=idempotency_key %}`: the sticky decision form.

    Posts `decision`, `opinion` and, when given, `idempotency_key`. It does not submit without an opinion.
    """
    return {
        "csrf_token": context.get("csrf_token"),
        "action_url": action_url,
        "decisions": decisions,
        "submit_label": submit_label,
        "minimum": minimum,
        "opinion": opinion,
        "recuse_url": recuse_url,
        "key": key,
        "error": error,
    }


@register.inclusion_tag("design/parts/proof_panel.html")
def proof_panel(proof: Any) -> dict[str, Any]:
    """`{% proof_panel proof %}`: a Proof: checks, path, digests, download. Failed checks stand in brick."""
    return {"proof": proof}


@register.inclusion_tag("design/parts/verdict.html")
def verdict(title: str, sentence: str, ok: bool = True) -> dict[str, Any]:
    """`{% verdict "证书有效" sentence %}` or `{% verdict "证书已撤销" sentence ok=False %}`: the verdict comes first."""
    return {"title": title, "sentence": sentence, "ok": ok}


@register.inclusion_tag("design/parts/facts.html")
def facts(items: Sequence[Any], style: str = "") -> dict[str, Any]:
    """`{% facts items %}`: Fact, or pairs of label and value. Styles: "" lines · "tight" · "ticket"."""
    return {"items": [as_fact(item) for item in items], "style": style}


def as_fact(item: Any) -> Any:
    """Return a Fact; a pair of label and value becomes one."""
    if isinstance(item, tuple) and not isinstance(item, Mapping):
        return Fact(label=item[0], value=item[1])
    return item


@register.inclusion_tag("design/parts/file_definition.html")
def file_definition(
    name: str, size: str, digest: str, url: str = "", algorithm: str = "SHA-256"
) -> dict[str, Any]:
    """`{% file_definition "监测报告.pdf" "1.2 MB" digest url %}`: a file is its bytes; name, size, digest, download."""
    return {"name": name, "size": size, "digest": digest, "url": url, "algorithm": algorithm}
