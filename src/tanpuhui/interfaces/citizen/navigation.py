"""The shell of the phone pages: doors, the way back, the region, and what every page of a citizen needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext

from tanpuhui.behaviour.carbon_accounts.queries import NoCarbonAccount
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.interfaces.design.parts import NavigationItem

SEE_OTHER = 303
_Rest = ParamSpec("_Rest")
View = Callable[Concatenate[HttpRequest, _Rest], HttpResponse]


def in_english() -> bool:
    """Say whether the page is written in English."""
    return (get_language() or "zh").startswith("en")


def worded(zh: str, en: str) -> str:
    """Return the wording of the page's language, the other where one is empty."""
    return (en or zh) if in_english() else (zh or en)


def locale() -> str:
    """Return the language in which other rooms word their sentences."""
    return "en" if in_english() else "zh"


def acting(request: HttpRequest) -> tuple[Actor, int]:
    """Return the signed-in citizen as an actor, and as a person; the permission table let nobody else in."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor, int(actor.id)


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    section: str = "",
    title: str = "",
    back: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render a phone page; with `back` it is an inner page with that way back and `title` above it."""
    doors = (
        ("home", gettext("首页"), "home"),
        ("scenes", gettext("低碳"), "leaf"),
        ("mall", gettext("商城"), "bag"),
        ("me", gettext("我的"), "person"),
    )
    place = jurisdiction()
    shell: dict[str, Any] = {
        "navigation": [
            NavigationItem(label, f"citizen:{name}", icon, active=name == section)
            for name, label, icon in doors
        ],
        "platform_name": worded(place.scheme_zh, place.scheme_en),
        "back_url": back,
        "page_title": title,
    }
    response = render(request, template, shell | dict(context), status=status)
    # A phone is passed around: nothing of a person stays in its cache.
    response["Cache-Control"] = "no-store"
    return response


def account_needed(view: View[_Rest]) -> View[_Rest]:
    """Lead whoever has no carbon account yet to the page where it is opened."""

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: _Rest.args, **kwargs: _Rest.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NoCarbonAccount:
            return redirect("citizen:home")

    return wrapped


def said(request: HttpRequest, sentence: str, address: str, *args: object) -> HttpResponse:
    """Answer a form that had its effect: say what happened, and show where it can be seen."""
    messages.success(request, sentence)
    response = redirect(address, *args)
    response.status_code = SEE_OTHER
    return response
