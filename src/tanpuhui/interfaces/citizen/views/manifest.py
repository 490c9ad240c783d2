"""The web app manifest, with which a phone puts the pages on its home screen."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.interfaces.citizen.navigation import in_english, worded

PAPER = "#F6F5F0"


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Send name, start and icon; the name is the jurisdiction's own."""
    place = jurisdiction()
    start = reverse("citizen:home")
    body = {
        "name": worded(place.scheme_zh, place.scheme_en),
        "short_name": gettext("碳普惠"),
        "lang": "en" if in_english() else "zh-Hans",
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [{"src": static("tanpuhui/favicon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }
    return JsonResponse(
        body, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False}
    )
