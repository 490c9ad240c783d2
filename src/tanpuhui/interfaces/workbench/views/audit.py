"""The audit record of one subject (审计记录): who did what to it, and when."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.foundation.audit.queries import AuditLine, timeline
from tanpuhui.foundation.identity.queries import people
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, at_moment

LINES_MAX = 200
EXAMPLES = ("case:1", "batch:1", "pool:1", "monitoring_report:1", "certificate:…")


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Show what was done to the subject asked for, newest first."""
    wanted = request.GET.get("subject", "").strip()
    lines = timeline(subject=wanted, limit=LINES_MAX) if wanted else ()
    names = _names(lines)
    section = Section(
        columns=(Column(gettext("时间"), "soft"), Column(gettext("操作"), "mono"), Column(gettext("操作者"))),
        rows=[
            Row(
                (
                    at_moment(line.at),
                    line.operation,
                    names.get((line.actor_kind, line.actor_id), f"{line.actor_kind}:{line.actor_id}"),
                )
            )
            for line in lines
        ],
        empty=gettext("没有“%(subject)s”的记录。") % {"subject": wanted}
        if wanted
        else gettext("还没有输入对象。"),
        empty_next=gettext("对象写作 %(examples)s。每一次操作都会留下一条不能修改的记录。")
        % {"examples": ", ".join(EXAMPLES)},
    )
    context = {
        "title": gettext("审计记录"),
        "lead": gettext("按对象查看谁在何时做了什么。记录只能增加，不能修改或删除。"),
        "search": {"value": wanted, "name": "subject", "label": gettext("对象，例如 case:1")},
        "sections": [section],
    }
    return page(
        request, "workbench/sheet.html", context, section="audit", crumbs=(Crumb(gettext("审计记录")),)
    )


def _names(lines: tuple[AuditLine, ...]) -> dict[tuple[str, str], str]:
    users = [int(line.actor_id) for line in lines if line.actor_kind == "user" and line.actor_id.isdigit()]
    return {("user", str(key)): person.display_name for key, person in people(users).items()}
