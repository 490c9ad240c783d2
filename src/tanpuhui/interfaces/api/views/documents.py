"""The documents of the API for people, written from its own OpenAPI description; no script of anybody else."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from ninja import Router

from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.interfaces.design.parts import Crumb, NavigationItem

router = Router()


@router.get("/docs", url_name="docs", include_in_schema=False)
def docs(request: HttpRequest) -> HttpResponse:
    """Show every address with its parameters and answers."""
    from tanpuhui.interfaces.api.service import api

    english = (get_language() or "zh").startswith("en")
    description: dict[str, Any] = api.get_openapi_schema()
    operations = [
        {
            "method": method.upper(),
            "path": path,
            "summary": found.get("summary", "").partition(" / ")[2 if english else 0],
            "description": found.get("description", "") if english else "",
            "needs_key": bool(found.get("security")),
            "parameters": found.get("parameters", []),
            "answers": sorted(
                (str(status), _answer(said)) for status, said in found.get("responses", {}).items()
            ),
        }
        for path, methods in description["paths"].items()
        for method, found in methods.items()
    ]
    place = jurisdiction()
    context = {
        "operations": operations,
        "openapi_url": reverse("api:openapi-json"),
        "platform_name": place.scheme_en if english else place.scheme_zh,
        "navigation": [
            NavigationItem(gettext("方法学"), "portal:methodologies"),
            NavigationItem(gettext("登记簿"), "portal:register"),
            NavigationItem(gettext("查验证书"), "portal:verify"),
            NavigationItem(gettext("公开日志"), "portal:log"),
            NavigationItem(gettext("接口文档"), "api:docs", active=True),
        ],
        "sign_in_url": reverse("portal:sign-in"),
        "search_url": reverse("portal:register"),
        "crumbs": [Crumb(gettext("关于"), reverse("portal:about")), Crumb(gettext("接口文档"))],
    }
    return render(request, "api/docs.html", context)


def _answer(said: dict[str, Any]) -> str:
    """Name the shape of an answer."""
    for content in said.get("content", {}).values():
        shape = str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]
        if shape:
            return shape
    return str(said.get("description", ""))
