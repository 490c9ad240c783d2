"""What every page of the three faces knows (context processor): theme, mode, platform name, demonstration banner."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

THEME_COOKIE = "tph_theme"
MODE_COOKIE = "tph_mode"


def face(request: HttpRequest) -> dict[str, Any]:
    """Return theme ("", light, dark), mode ("", elder), platform_name and demo for the shells.

    Theme and mode come from cookies that theme.js writes, so that the server renders the attributes and nothing flashes.
    """
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "theme": theme if theme in {"light", "dark"} else "",
        "mode": "elder" if request.COOKIES.get(MODE_COOKIE) == "elder" else "",
        "platform_name": getattr(settings, "TANPUHUI_PLATFORM_NAME", ""),
        "demo": bool(getattr(settings, "TANPUHUI_DEMO", False)),
    }
