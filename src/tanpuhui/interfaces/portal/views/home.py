"""The first page: one exact number, the registry as an equation, the latest issuances and certificates, the doors."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.books.ledger.queries import system_total
from tanpuhui.credits.projects.queries import projects
from tanpuhui.credits.registry.queries import certificates, issuances
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.portal.navigation import page
from tanpuhui.interfaces.portal.views.notices import running_notices
from tanpuhui.interfaces.portal.views.register import balance_of
from tanpuhui.science.methodology.queries import library

CREDITED = "scheme:credited"
LATEST = 5


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what has been credited and issued to date, exactly."""
    issued = issuances()
    versions = [version for version in library() if version.state == "filed"]
    known = {project.project_id: project for project in projects()}
    total, parts = balance_of(issued)
    credited = -system_total(CREDITED).grams
    context: dict[str, Any] = {
        "credited": credited,
        "credited_note": _note(versions, credited),
        "versions": len(versions),
        "projects": len(known),
        "issuances": [(view, known.get(view.project_id)) for view in issued[:LATEST]],
        "issuance_count": len(issued),
        "certificates": certificates(limit=LATEST),
        "issued_total": total,
        "balance": parts,
        "by_kind": {part.kind: part.tonnes for part in parts},
        **running_notices(limit=LATEST),
    }
    return page(request, "portal/home.html", context)


def _note(versions: list[Any], credited: Grams) -> str:
    """Say as of when, and whether the values behind the number are demonstration values."""
    if not credited:
        return gettext("还没有记录入账。数据伙伴送来第一批记录后，这里会开始增长。")
    now = figures.moment(timezone.now())
    if any(version.purpose != "operation" for version in versions):
        return gettext("截至 %(now)s。所用方法学含演示参数，不用于正式核算。") % {"now": now}
    return gettext("截至 %(now)s，每一克都能追到一条记录。") % {"now": now}
