"""The shell of the public pages: doors, names and footer, and who is signed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.interfaces.design.parts import Crumb, NavigationItem

CITIZEN_HOME = "/m/"
WORKBENCH_HOME = "/w/"


def in_english() -> bool:
    """Say whether the page is written in English."""
    return (get_language() or "zh").startswith("en")


def worded(zh: str, en: str) -> str:
    """Return the wording of the page's language, the other where one is empty."""
    return (en or zh) if in_english() else (zh or en)


def home_of(request: HttpRequest) -> str:
    """Return where a signed-in person's work is: citizens on the phone pages, everybody else on the workbench."""
    actor = getattr(request, "actor", None)
    return CITIZEN_HOME if actor is not None and Role.CITIZEN in actor.roles else WORKBENCH_HOME


def navigation(section: str) -> list[NavigationItem]:
    """Return the doors of the portal, the one of this section marked."""
    doors = (
        ("methodologies", gettext("方法学"), "portal:methodologies"),
        ("scenarios", gettext("场景"), "portal:scenarios"),
        ("notices", gettext("公示公告"), "portal:notices"),
        ("register", gettext("登记簿"), "portal:register"),
        ("verify", gettext("查验证书"), "portal:verify"),
        ("log", gettext("公开日志"), "portal:log"),
        ("about", gettext("关于"), "portal:about"),
    )
    return [NavigationItem(label, name, active=code == section) for code, label, name in doors]


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    section: str = "",
    crumbs: Sequence[Crumb] = (),
    status: int = 200,
) -> HttpResponse:
    """Render a page of the portal inside its shell."""
    place = jurisdiction()
    shell: dict[str, Any] = {
        "navigation": navigation(section),
        "crumbs": crumbs,
        "platform_name": worded(place.scheme_zh, place.scheme_en),
        "search_url": reverse("portal:register"),
        "footer_links": [
            Crumb(gettext("使用帮助"), reverse("portal:guide")),
            Crumb(gettext("机构入驻"), reverse("portal:onboarding")),
            Crumb(gettext("公开密钥"), reverse("portal:key-page")),
            Crumb(gettext("接口文档"), reverse("api:docs")),
            Crumb(gettext("隐私与无障碍"), reverse("portal:about")),
        ],
    }
    if request.user.is_authenticated:
        shell |= {"signed_in_name": request.user.display_name, "account_url": home_of(request)}
    else:
        shell["sign_in_url"] = reverse("portal:sign-in")
    return render(request, template, shell | dict(context or {}), status=status)
