"""The public register: issuances as an equation, the history of units, and the search by serial or certificate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from tanpuhui.credits.projects.queries import project, projects
from tanpuhui.credits.registry import queries as registry
from tanpuhui.credits.registry.queries import BlockView, IssuanceView, Serial
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import BalancePart, Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.tags import writing
from tanpuhui.interfaces.portal.navigation import page, worded

KIND_OF_STATE = {"held": "held", "in_transit": "transit", "retired": "retired"}


def state_label(state: str) -> str:
    """Return the word for where a unit is."""
    return {
        "held": gettext("持有"),
        "in_transit": gettext("在途"),
        "retired": gettext("已消纳"),
    }.get(state, state)


def movement_label(kind: str) -> str:
    """Return the word for what happened to units."""
    return {
        "issue": gettext("签发"),
        "offer": gettext("发出转让"),
        "accept": gettext("接受转让"),
        "decline": gettext("谢绝转让"),
        "retire": gettext("消纳"),
    }.get(kind, kind)


def balance_of(issued: Sequence[IssuanceView]) -> tuple[Tonnes, list[BalancePart]]:
    """Return what was issued and what has become of it; the two sides come from different tables."""
    states = list(KIND_OF_STATE)
    parts = [
        BalancePart(
            state_label(state),
            Tonnes.total(view.by_state.get(state, Tonnes(0)) for view in issued),
            KIND_OF_STATE[state],
        )
        for state in states
    ]
    return Tonnes.total(view.quantity for view in issued), parts


@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """List the issuances; with `q`, go to the serial or certificate asked for."""
    wanted = request.GET.get("q", "").strip()
    refused: Refusal | None = None
    if wanted:
        try:
            return redirect(_address_of(wanted))
        except Refusal as refusal:
            refused = refusal
    issued = registry.issuances()
    names = {view.project_id: worded(view.name_zh, view.name_en) for view in projects()}
    total, parts = balance_of(issued)
    columns = (
        Column(gettext("签发批次"), "mono"),
        Column(gettext("项目")),
        Column(gettext("减排年份")),
        Column(gettext("签发 t"), "num"),
        Column(gettext("持有 t"), "num"),
        Column(gettext("在途 t"), "num"),
        Column(gettext("已消纳 t"), "num"),
        Column(gettext("签发日期")),
    )
    rows = [
        Row(
            (
                view.serial,
                names.get(view.project_id, view.project_code),
                str(view.vintage),
                figures.plain(figures.exact(view.quantity)),
                *(figures.plain(figures.exact(view.by_state[state])) for state in KIND_OF_STATE),
                writing.day(view.issued_at),
            ),
            url=reverse("portal:issuance", args=[view.issuance_id]),
        )
        for view in issued
    ]
    context: dict[str, Any] = {
        "wanted": wanted,
        "refused": refused,
        "issued_total": total,
        "balance": parts,
        "columns": columns,
        "rows": rows,
        "certificates": registry.certificates(limit=20),
    }
    status = status_of(refused.code) if refused else 200
    return page(request, "portal/register.html", context, section="register", status=status)


@require_safe
def issuance(request: HttpRequest, issuance_id: int) -> HttpResponse:
    """Show one issuance: where its units are, and every movement since."""
    view = registry.issuance(issuance_id=issuance_id)
    source = project(project_id=view.project_id)
    total, parts = balance_of((view,))
    columns = (
        Column(gettext("时间")),
        Column(gettext("变动")),
        Column(gettext("序列号"), "mono"),
        Column(gettext("依据"), "mono"),
        Column(gettext("此后状态")),
    )
    rows = [
        Row(
            (
                writing.moment(one.at),
                movement_label(one.kind),
                one.serial,
                _reference(one.kind, one.reference),
                state_label(one.state),
            )
        )
        for one in reversed(registry.movements(issuance_id=issuance_id))
    ]
    context = {
        "view": view,
        "facts": (
            Fact(gettext("项目"), f"{source.code} {worded(source.name_zh, source.name_en)}"),
            Fact(gettext("减排年份"), str(view.vintage)),
            Fact(gettext("签发日期"), f"{figures.local_day(view.issued_at):%Y-%m-%d}"),
            Fact(gettext("序列号"), view.serial, mono=True),
        ),
        "issued_total": total,
        "balance": parts,
        "columns": columns,
        "rows": rows,
    }
    crumbs = (Crumb(gettext("登记簿"), reverse("portal:register")), Crumb(view.serial))
    return page(request, "portal/issuance.html", context, section="register", crumbs=crumbs)


@require_safe
def serial(request: HttpRequest, serial: str) -> HttpResponse:
    """Show where the units of a serial are; a mistyped or unknown one gets its own page."""
    crumbs = (Crumb(gettext("登记簿"), reverse("portal:register")), Crumb(serial))
    try:
        blocks = registry.serial(text=serial)
    except Refusal as refusal:
        context = {"serial": serial, "refused": refusal}
        status = status_of(refusal.code)
        return page(request, "portal/serial.html", context, section="register", crumbs=crumbs, status=status)
    wanted = Serial.parse(serial)
    issued = {one.issuance_id: registry.issuance(issuance_id=one.issuance_id) for one in blocks}
    columns = (
        Column(gettext("序列号"), "mono"),
        Column(gettext("数量 t"), "num"),
        Column(gettext("状态")),
        Column(gettext("证书"), "mono"),
        Column(gettext("自")),
    )
    context = {
        "serial": str(wanted),
        "span": wanted.span,
        "quantity": wanted.span.quantity,
        "columns": columns,
        "rows": [_block_row(block) for block in blocks],
        "issuances": list(issued.values()),
        "states": sorted({state_label(block.state) for block in blocks}),
        "gauge": next(iter(issued.values())) if len(issued) == 1 else None,
    }
    return page(request, "portal/serial.html", context, section="register", crumbs=crumbs)


def _block_row(block: BlockView) -> Row:
    number = block.certificate_number
    link: str = ""
    if number:
        link = format_html('<a href="{}">{}</a>', reverse("portal:certificate", args=[number]), number)
    cells = (
        block.serial,
        figures.plain(figures.exact(block.quantity)),
        state_label(block.state),
        link,
        writing.day(block.since),
    )
    return Row(cells)


def _reference(kind: str, reference: str) -> str:
    """Return the act a movement goes back to; a certificate's number leads to its page."""
    if kind == "retire":
        return format_html('<a href="{}">{}</a>', reverse("portal:certificate", args=[reference]), reference)
    kind_of_subject, _, subject = reference.partition(":")
    return gettext("案件 %(number)s") % {"number": subject} if kind_of_subject == "case" else reference


def _address_of(wanted: str) -> str:
    """Return the page of a serial or a certificate; raises NotFound with what to check."""
    try:
        return reverse("portal:serial", args=[str(Serial.parse(wanted))])
    except Refusal:
        pass
    try:
        found = registry.certificate(number=wanted)
    except NotFound:
        what = "serial or certificate" if (get_language() or "").startswith("en") else "序列号或证书"
        raise NotFound(what=what, id=wanted) from None
    return reverse("portal:certificate", args=[found.number])
