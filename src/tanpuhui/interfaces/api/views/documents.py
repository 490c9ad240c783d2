"""The documents of the API for people, written from its own OpenAPI description; no script of anybody else."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from ninja import Router

from tanpuhui.foundation.rulebook.queries import jurisdiction

router = Router()


@router.get("/docs", url_name="docs", include_in_schema=False)
def docs(request: HttpRequest) -> HttpResponse:
    """Show every address with its parameters and answers."""
    from tanpuhui.interfaces.api.service import api

    description: dict[str, Any] = api.get_openapi_schema()
    operations = [
        {
            "method": method.upper(),
            "path": path,
            "summary": found.get("summary", ""),
            "description": found.get("description", ""),
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
    english = (get_language() or "zh").startswith("en")
    context = {
        "operations": operations,
        "openapi_url": reverse("api:openapi-json"),
        "platform_name": place.scheme_en if english else place.scheme_zh,
    }
    return render(request, "api/docs.html", context)


def _answer(said: dict[str, Any]) -> str:
    """Name the shape of an answer."""
    schema = next(iter(said.get("content", {}).values()), {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2] or str(said.get("description", ""))
