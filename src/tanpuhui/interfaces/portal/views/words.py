"""Pages of words: help by role, and what this platform is."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.portal.navigation import page, worded


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """Say in short what each role does here."""
    return page(request, "portal/guide.html", crumbs=(Crumb(gettext("使用帮助")),))


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Say what is demonstration, what is kept of people, and how far the pages are accessible."""
    place = jurisdiction()
    unit = place.unit_names[-1]
    context = {
        "demo_on": settings.TANPUHUI_DEMO,
        "scheme": worded(place.scheme_zh, place.scheme_en),
        "unit": worded(unit.zh, unit.en),
        "unit_basis": unit.basis,
        "unit_code": place.unit_code,
        "unit_code_note": place.unit_code_note,
        "serial_prefix": place.serial_prefix,
        "serial_prefix_note": place.serial_prefix_note,
    }
    return page(request, "portal/about.html", context, section="about", crumbs=(Crumb(gettext("关于")),))
