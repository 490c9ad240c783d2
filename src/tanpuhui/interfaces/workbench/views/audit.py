"""The audit record of one subject (审计记录): who did what to it, and when."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.foundation.audit.operations import note_export
from tanpuhui.foundation.audit.queries import AuditLine, records, timeline
from tanpuhui.foundation.identity.queries import people
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, at_moment
from tanpuhui.interfaces.workbench.routes import ROUTES
from tanpuhui.interfaces.workbench.sight import watches_all

LINES_MAX = 200
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
EXAMPLES = ("case:1", "batch:1", "pool:1", "monitoring_report:1", "certificate:…")


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Show what was done to the subject asked for, newest first."""
    if not watches_all(who(request)):
        raise NotPermitted(operation="audit")
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
        "ways": [Way(label=gettext("披露记录"), url=reverse("workbench:disclosures"))]
        if ROUTES["disclosures"].allows(who(request))
        else [],
        "search": {"value": wanted, "name": "subject", "label": gettext("对象，例如 case:1")},
        "sections": [section],
        "today": timezone.localdate(),
        "exports": ROUTES["audit-export"].allows(who(request)),
    }
    return page(
        request, "workbench/audit.html", context, section="audit", crumbs=(Crumb(gettext("审计记录")),)
    )


class ExportForm(forms.Form):
    """Which days to export, both included."""

    first = forms.DateField()
    last = forms.DateField()


@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """Send the records of some days as CSV; the export itself leaves a line."""
    form = ExportForm(request.POST)
    if not form.is_valid():
        raise Invalid(field="first", why="请填写起日和止日 / give the first and the last day")
    first = _day_begins(form.cleaned_data["first"])
    before = _day_begins(form.cleaned_data["last"] + dt.timedelta(days=1))
    note_export(actor=who(request), at=timezone.now(), area=jurisdiction().area, first=first, before=before)
    response = StreamingHttpResponse(_lines(first, before), content_type="text/csv; charset=utf-8")
    name = f"audit-{form.cleaned_data['first']:%Y%m%d}-{form.cleaned_data['last']:%Y%m%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(first: dt.datetime, before: dt.datetime) -> Iterator[bytes]:
    """Yield CSV with a mark of UTF-8, so that a spreadsheet reads Chinese; no cell begins like a formula."""
    head = ("id", "at", "recorded_at", "operation", "actor_kind", "actor_id", "subject", "within")
    yield b"\xef\xbb\xbf" + _csv_line(head)
    for line in records(first=first, before=before):
        yield _csv_line([getattr(line, name) for name in head])


def _csv_line(cells: Iterable[object]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(
        "'" + text if (text := str(cell)).startswith(FORMULA_STARTS) else text for cell in cells
    )
    return out.getvalue().encode()


def _day_begins(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=CHINA)


def _names(lines: tuple[AuditLine, ...]) -> dict[tuple[str, str], str]:
    users = [int(line.actor_id) for line in lines if line.actor_kind == "user" and line.actor_id.isdigit()]
    return {("user", str(key)): person.display_name for key, person in people(users).items()}
