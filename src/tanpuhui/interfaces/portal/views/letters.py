"""Check a decision letter that somebody holds (决定书核对): whether it is genuine, and whether its decision still stands."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook.queries import process_by_id
from tanpuhui.foundation.workflow.queries import letter_by_code
from tanpuhui.interfaces.design.figures import local_day
from tanpuhui.interfaces.design.parts import Crumb, Fact
from tanpuhui.interfaces.portal.navigation import in_english, page


@require_safe
def letter(request: HttpRequest, code: str) -> HttpResponse:
    """Say what is on record of a letter: number, kind of decision, day, signature; no party and no opinion."""
    crumbs = (Crumb(gettext("决定书核对")),)
    try:
        found = letter_by_code(code)
    except NotFound:
        return page(
            request, "portal/letter.html", {"view": None}, section="verify", crumbs=crumbs, status=404
        )
    version = process_by_id(found.process_version_id)
    way = next(
        (
            t
            for t in version.transitions
            if (t.source, t.target, t.outcome) == (found.from_state, found.to_state, found.outcome)
        ),
        None,
    )
    english = in_english()
    facts = [
        Fact(gettext("文号"), found.number),
        Fact(gettext("案件"), found.case_number),
        Fact(gettext("事项"), version.label_en if english else version.label_zh),
        Fact(gettext("决定"), (way.label_en if english else way.label_zh) if way else found.outcome),
        Fact(gettext("日期"), f"{local_day(found.at):%Y-%m-%d}"),
        Fact(gettext("决定签名 SHA-256"), found.sha256, mono=True),
    ]
    response = page(
        request, "portal/letter.html", {"view": found, "facts": facts}, section="verify", crumbs=crumbs
    )
    response["Cache-Control"] = "no-store"
    return response
