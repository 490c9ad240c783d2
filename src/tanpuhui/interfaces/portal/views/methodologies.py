"""The library of methodologies, and one version with its formulas, factors and open values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.design.tags import writing
from tanpuhui.interfaces.portal.navigation import in_english, page, worded
from tanpuhui.science.engine import Evidence, MethodologyVersion, Parameter, formula_text
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import VersionView

SYMBOL = re.compile(r"(?<![&\w])[A-Za-z]+(?:_[A-Za-z0-9]+)?(?![\w;])")
HIDDEN = frozenset({"returned", "rejected"})
"""States in which a version is its proposer's affair; all others are public, each with its state in words."""


def state_text(state: str) -> tuple[str, str]:
    """Return tone and words of a version's state."""
    words = {
        "filed": ("ok", gettext("已备案")),
        "reviewed": ("wait", gettext("已评审，待备案")),
        "proposed": ("wait", gettext("评审中")),
        "draft": ("", gettext("草案，不能核算")),
    }
    return words.get(state, ("", state))


def purpose_text(purpose: str) -> str:
    """Say in words what results of a version may be used for."""
    return {
        "operation": gettext("正式核算"),
        "demonstration": gettext("演示，不用于正式核算"),
        "test": gettext("测试，不用于任何核算"),
    }.get(purpose, purpose)


@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """List every public version."""
    rows = [
        {
            "version": view,
            "name": worded(view.name_zh, view.name_en),
            "state": state_text(view.state),
            "purpose": purpose_text(view.purpose),
        }
        for view in methodology.library()
        if view.state not in HIDDEN
    ]
    return page(request, "portal/methodologies.html", {"rows": rows}, section="methodologies")


@require_safe
def version(request: HttpRequest, code: str, version: str) -> HttpResponse:
    """Show one version: scope, formulas from the running tree, values with source and confidence, what is open."""
    view, others = _chosen(code, version)
    loaded = methodology.loaded(view.id)
    locale = "en" if in_english() else "zh"
    known = symbols_of(loaded)
    variants = [
        {
            "name": variant.name.text(locale),
            "lines": [
                (line, symbols_markup(line.symbol, known), symbols_markup(line.symbols, known))
                for line in formula_text(loaded, variant, locale=locale)
            ],
            "unset": [_name(loaded, found) for found in loaded.variant_unset(variant)],
        }
        for variant in loaded.variants
    ]
    context: dict[str, Any] = {
        "view": view,
        "name": worded(view.name_zh, view.name_en),
        "scope": loaded.scope.text(locale),
        "label": loaded.label.text(locale),
        "beneficiary": loaded.beneficiary.text(locale),
        "state": state_text(view.state),
        "purpose": purpose_text(view.purpose),
        "set_label": loaded.parameter_set.label.text(locale) if loaded.parameter_set else "",
        "variants": variants,
        "columns": _columns(),
        "rows": [_parameter_row(loaded, parameter) for parameter in loaded.parameters],
        "rules": [(rule.message.text(locale), rule.text, rule.code) for rule in loaded.eligibility],
        "clauses": [(clause.document, clause.text.text(locale)) for clause in loaded.clauses],
        "cap": _cap_text(loaded),
        "blocked": [_name(loaded, found) for found in loaded.blocked_by],
        "others": others,
    }
    crumbs = (Crumb(gettext("方法学"), reverse("portal:methodologies")), Crumb(f"{view.code} {view.version}"))
    return page(request, "portal/methodology.html", context, section="methodologies", crumbs=crumbs)


@require_safe
def archive(request: HttpRequest, code: str, version: str, sha256: str) -> HttpResponse:
    """Send the archive of a version, whose SHA-256 is its address."""
    for view in _versions(code, version):
        if view.archive_sha256 == sha256:
            response = HttpResponse(methodology.archive_bytes(view.id), content_type="application/zip")
            response["Content-Disposition"] = (
                f'attachment; filename="{view.code}-{view.version}-{sha256[:8]}.zip"'
            )
            return response
    raise Http404


def symbols_markup(text: str, known: frozenset[str]) -> SafeString:
    """Set a formula's symbols as mathematics: variables italic, their subscripts upright; words stay as they are."""

    def set_one(found: re.Match[str]) -> str:
        if found[0] not in known:
            return found[0]
        letter, _, below = found[0].partition("_")
        return f"<i>{letter}</i><sub>{below}</sub>" if below else f"<i>{letter}</i>"

    return mark_safe(SYMBOL.sub(set_one, str(conditional_escape(text))))  # noqa: S308  escaped here


def symbols_of(loaded: MethodologyVersion) -> frozenset[str]:
    """Return every symbol that a version gives a field, a parameter or a step."""
    given = [one.symbol for one in loaded.fields] + [one.symbol for one in loaded.parameters]
    given += [formula.symbol for variant in loaded.variants for formula in variant.formulas]
    return frozenset(symbol for symbol in given if symbol)


def unit_markup(text: str) -> SafeString:
    """Set a unit with its subscripts and a drawn middle dot."""
    return mark_safe(re.sub(r"CO2(?!e)", "CO<sub>2</sub>", writing.unit(text)))  # noqa: S308  escaped by the filter


def _versions(code: str, version: str) -> list[VersionView]:
    return [
        view for view in methodology.versions_of(code) if view.version == version and view.state not in HIDDEN
    ]


def _chosen(code: str, version: str) -> tuple[VersionView, list[VersionView]]:
    """Return the filed row of a version, else the newest one, and the other rows of the same number."""
    found = _versions(code, version)
    if not found:
        raise Http404
    first = next((view for view in found if view.state == "filed"), found[0])
    return first, [view for view in found if view.id != first.id]


def _name(loaded: MethodologyVersion, code: str) -> str:
    return loaded.parameter(code).name.text("en" if in_english() else "zh")


def _columns() -> Sequence[Column]:
    return (
        Column(gettext("参数")),
        Column(gettext("符号"), "symbol"),
        Column(gettext("取值"), "num"),
        Column(gettext("单位"), "soft"),
        Column(gettext("可信度")),
        Column(gettext("来源"), "soft"),
    )


def _parameter_row(loaded: MethodologyVersion, parameter: Parameter) -> Row:
    """Return a parameter as a row; one without value is tinted and says what it blocks."""
    locale = "en" if in_english() else "zh"
    unit = unit_markup(parameter.unit.shown(locale))
    start = (parameter.name.text(locale), symbols_markup(parameter.symbol, symbols_of(loaded)))
    if parameter.active is None:
        blocks = [
            variant.name.text(locale)
            for variant in loaded.variants
            if parameter.code in loaded.variant_unset(variant)
        ]
        where = "、".join(blocks) if not in_english() else ", ".join(blocks)
        remark = (
            gettext("未设值，不能核算：%(where)s。由主管方确定。") % {"where": where}
            if blocks
            else gettext("未设值。由主管方确定。")
        )
        note = parameter.note.text(locale)
        return Row((*start, figures.unset(), unit, "", note), unset=True, remark=remark)
    active = parameter.active
    cells = (*start, f"{active.value:f}", unit, active.confidence, active.source.text(locale))
    return Row(cells, remark_by=_origin(parameter), remark=_label(active, parameter))


def _origin(parameter: Parameter) -> str:
    return gettext("参数集") if parameter.origin == "parameter_set" else ""


def _label(active: Evidence, parameter: Parameter) -> str:
    locale = "en" if in_english() else "zh"
    parts = [active.label.text(locale), *(_alternative(one) for one in parameter.alternatives)]
    return ("；" if locale == "zh" else "; ").join(part for part in parts if part)


def _alternative(one: Evidence) -> str:
    locale = "en" if in_english() else "zh"
    return gettext("另有取值 %(value)s（%(source)s，%(confidence)s），没有采用") % {
        "value": f"{one.value:f}",
        "source": one.source.text(locale),
        "confidence": one.confidence,
    }


def _cap_text(loaded: MethodologyVersion) -> str:
    if loaded.cap is None:
        return gettext("没有活动量上限")
    parameter = loaded.parameter(loaded.cap.parameter)
    limit = (
        gettext("未设值")
        if loaded.cap.limit is None
        else f"{loaded.cap.limit:f} {parameter.unit.shown('en' if in_english() else 'zh')}"
    )
    scopes = {
        "account": gettext("每个账户"),
        "household": gettext("每户"),
        "vehicle": gettext("每辆车"),
        "device": gettext("每台设备"),
        "project": gettext("每个项目"),
    }
    periods = {
        "trip": gettext("每次"),
        "day": gettext("每天"),
        "week": gettext("每周"),
        "month": gettext("每月"),
        "year": gettext("每年"),
        "lifetime": gettext("终身"),
    }
    return gettext("%(scope)s%(period)s最多 %(limit)s，超出的部分不计入") % {
        "scope": scopes[loaded.cap.scope],
        "period": periods[loaded.cap.period],
        "limit": limit,
    }
