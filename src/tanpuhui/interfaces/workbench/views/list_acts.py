"""What is done with whole lists of cases: pass several on, keep a filter, take a list away (批量转办、常用筛选、导出)."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.foundation.identity.queries import members
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import (
    CaseToAssign,
    assign_cases,
    forget_filter,
    record_export,
    save_filter,
)
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.design.sheets import XLSX
from tanpuhui.interfaces.workbench import filters
from tanpuhui.interfaces.workbench.acting import key_of, see_other, who
from tanpuhui.interfaces.workbench.case_sheet import case_sheet
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.sight import scope_of
from tanpuhui.interfaces.workbench.words import role_name, worded

PASSING_ROLES = (Role.MAKER, Role.CHECKER, Role.SUBCENTRE, Role.VERIFIER, Role.EXPERT)
"""Who works on cases together with colleagues, so that one can take over another's."""


def colleagues(actor: Actor) -> tuple[tuple[str, str], ...]:
    """Return those who hold one of the actor's own roles in the same organisation, the actor too, with their names."""
    found: dict[str, str] = {}
    at = timezone.now()
    for organisation_id in sorted(actor.organisation_ids(*PASSING_ROLES)):
        own = {
            g.role.value
            for g in actor.grants
            if g.organisation_id == organisation_id and g.role in PASSING_ROLES
        }
        for member in members(organisation_id, at=at):
            if member.role in own:
                found.setdefault(str(member.user_id), f"{member.display_name}，{role_name(member.role)}")
    return tuple(sorted(found.items(), key=lambda pair: (pair[0] != actor.id, pair[1])))


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: HttpRequest) -> HttpResponse:
    """Pass the picked cases to one colleague; those that could not be passed are listed with their reason."""
    if request.method != "POST":
        return redirect("workbench:inbox")
    actor = who(request)
    done = assign_cases(
        actor=actor,
        at=timezone.now(),
        idempotency_key=key_of(request),
        cases=[_picked(text) for text in request.POST.getlist("pick")],
        user_id=_number(request.POST.get("user_id", ""), field="user_id"),
        reason=request.POST.get("reason", ""),
    )
    name = dict(colleagues(actor)).get(str(done.user_id), "")
    said = ngettext("%(n)s 件已转给%(who)s。", "%(n)s 件已转给%(who)s。", len(done.assigned)) % {
        "n": len(done.assigned),
        "who": name,
    }
    if not done.refused:
        messages.success(request, said)
        return see_other("workbench:inbox")
    context = {
        "said": said if done.assigned else "",
        "columns": (Column(gettext("办件号"), "mono"), Column(gettext("没有转的原因"))),
        "rows": [
            Row(
                (one.number, worded(one.why_zh, one.why_en)),
                url=redirect("workbench:case", one.case_id).headers["Location"],
            )
            for one in done.refused
        ],
    }
    crumbs = (Crumb(gettext("批量转办")),)
    return page(request, "workbench/assigned.html", context, section="inbox", crumbs=crumbs, status=409)


@require_http_methods(["GET", "HEAD", "POST"])
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the filter of a page under a name, or forget one."""
    if request.method != "POST":
        return redirect("workbench:inbox")
    actor = who(request)
    where = "cases" if request.POST.get("on") == "cases" else "inbox"
    if "forget" in request.POST:
        filter_id = _number(request.POST["forget"], field="forget")
        forget_filter(actor=actor, at=timezone.now(), filter_id=filter_id)
        messages.success(request, gettext("筛选已删除。"))
        return see_other(f"workbench:{where}")
    given: Mapping[str, str] = {name: str(value) for name, value in request.POST.items()}
    save_filter(
        actor=actor, at=timezone.now(), page=where, name=request.POST.get("filter_name", ""), criteria=given
    )
    messages.success(request, gettext("筛选已保存，在列表上方可以再用。"))
    kept = workflow.Criteria.of(given)
    response = redirect(filters.address(redirect(f"workbench:{where}").headers["Location"], kept))
    response.status_code = 303
    return response


@require_safe
def export_inbox(request: HttpRequest) -> HttpResponse | FileResponse:
    """Give the inbox as it is narrowed as an Excel file."""
    return _export(request, "inbox", pgettext("file", "待办"))


@require_safe
def export_cases(request: HttpRequest) -> HttpResponse | FileResponse:
    """Give the cases in sight as they are narrowed as an Excel file."""
    return _export(request, "cases", pgettext("file", "办件"))


def _export(request: HttpRequest, listed: str, name: str) -> FileResponse:
    """Write down who takes what, then send it: a list that left is never without its line in the audit."""
    actor, at, criteria = who(request), timezone.now(), filters.criteria_of(request)
    scope = scope_of(actor)
    found = workflow.count_export(page=listed, scope=scope, actor=actor, at=at, criteria=criteria)
    record_export(
        actor=actor,
        at=at,
        page=listed,
        criteria=criteria.given(),
        lines=min(found, workflow.EXPORT_LINES_MAX),
    )
    lines = workflow.export_lines(page=listed, scope=scope, actor=actor, at=at, criteria=criteria)
    file = case_sheet(lines, title=name, at=at, left_out=max(found - workflow.EXPORT_LINES_MAX, 0))
    return FileResponse(
        file, as_attachment=True, filename=f"{name}-{timezone.localdate():%Y-%m-%d}.xlsx", content_type=XLSX
    )


def _picked(text: str) -> CaseToAssign:
    parts = text.split(":")
    if len(parts) != 3:
        raise Invalid(field="pick", why="请重新打开页面 / reopen the page")
    case_id, step, act = (_number(part, field="pick") for part in parts)
    return CaseToAssign(case_id=case_id, seen_step=step, seen_act=act)


def _number(text: str, *, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(field=field, why=f"{text[:20]!r} 不是编号 / is not a number")
    return int(text)
