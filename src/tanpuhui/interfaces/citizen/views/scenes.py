"""Scenarios (低碳场景): the rule in words, who sends the records, and the consent that each of them needs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import ScenarioView
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.operations import (
    ConsentStands,
    NoConsent,
    give_consent,
    withdraw_consent,
)
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.interfaces.citizen.consent_texts import (
    fields_asked,
    partners_of,
    scenario_text,
)
from tanpuhui.interfaces.citizen.derivation import cap_words
from tanpuhui.interfaces.citizen.navigation import acting, locale, page, said, worded
from tanpuhui.interfaces.citizen.rows import icon_of
from tanpuhui.science.engine import formula_text
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import NoFiledMethodology

Spans = tuple[tuple[datetime, datetime | None], ...]


@require_safe
def scenes(request: HttpRequest) -> HttpResponse:
    """List the open scenarios, each with whether the person has consented."""
    _, user_id = acting(request)
    rows = [
        {
            "scenario": one,
            "name": worded(one.name_zh, one.name_en),
            "icon": icon_of(one.code),
            "given_at": _given_at(_spans(user_id, one.code)),
            "stopped": _stopped(one),
        }
        for one in activity.scenarios(on=timezone.localdate())
    ]
    context = {"rows": rows, "consented": sum(row["given_at"] is not None for row in rows)}
    return page(request, "citizen/scenes.html", context, section="scenes")


@require_safe
def scene(request: HttpRequest, code: str) -> HttpResponse:
    """Show one scenario: rule, cap, partner, latest file, and the consent or the text to consent to."""
    _, user_id = acting(request)
    found = activity.scenario(code, on=timezone.localdate())
    name = worded(found.name_zh, found.name_en)
    spans = _spans(user_id, code)
    partners = partners_of(code)
    context: dict[str, Any] = {
        "scenario": found,
        "name": name,
        "icon": icon_of(code),
        "given_at": _given_at(spans),
        "stopped": _stopped(found),
        "stopped_why": _why_stopped(found),
        "last_withdrawn": spans[-1][1] if spans else None,
        "partners": [
            {"partner": partner, "latest": next(iter(activity.batches(partner_id=partner.id, limit=1)), None)}
            for partner in partners
        ],
    } | _rule(found, business_day(timezone.now()))
    context["text"] = scenario_text(
        name=name, partners=partners, fields=context.get("fields", ()), at=timezone.now()
    )
    back = reverse("citizen:scenes")
    return page(request, "citizen/scene.html", context, section="scenes", title=name, back=back)


@require_POST
def give(request: HttpRequest, code: str) -> HttpResponse:
    """Record the person's consent to the text that was on the screen."""
    actor, user_id = acting(request)
    found = activity.scenario(code)
    name = worded(found.name_zh, found.name_en)
    try:
        give_consent(
            actor=actor,
            at=timezone.now(),
            user_id=user_id,
            scenario=code,
            text_version=request.POST.get("text_version", ""),
            idempotency_key=request.POST.get("idempotency_key") or None,
        )
    except ConsentStands:
        return redirect("citizen:scene", code)
    words = gettext("已授权“%(name)s”。从现在起的出行会入账，数据方送来后就能看到。")
    return said(request, words % {"name": name}, "citizen:scene", code)


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    """Say what withdrawing changes and what it does not; withdraw."""
    actor, user_id = acting(request)
    found = activity.scenario(code)
    name = worded(found.name_zh, found.name_en)
    if request.method != "POST":
        given_at = _given_at(_spans(user_id, code))
        if given_at is None:
            return redirect("citizen:scene", code)
        context = {"scenario": found, "name": name, "given_at": given_at}
        back = reverse("citizen:scene", args=(code,))
        title = gettext("撤回授权")
        return page(request, "citizen/withdraw.html", context, section="scenes", title=title, back=back)
    try:
        withdraw_consent(
            actor=actor,
            at=timezone.now(),
            user_id=user_id,
            scenario=code,
            idempotency_key=request.POST.get("idempotency_key") or None,
        )
    except NoConsent:
        return redirect("citizen:scene", code)
    words = gettext("已撤回“%(name)s”的授权。之后的记录不再计入，已入账的不变。")
    return said(request, words % {"name": name}, "citizen:scene", code)


def _stopped(scenario: ScenarioView) -> str:
    """Say since when a scenario does not run; empty where it does."""
    words = {
        "suspended": gettext("%(day)s 起暂停，暂停期间的记录不计入"),
        "closed": gettext("%(day)s 起已关闭，之后的记录不计入"),
    }.get(scenario.standing, "")
    return words % {"day": f"{scenario.since:%Y-%m-%d}"} if words else ""


def _why_stopped(scenario: ScenarioView) -> str:
    """Return the reason that was given for it."""
    if scenario.standing == "live":
        return ""
    return next(
        (one.reason for one in activity.statuses(scenario.code) if one.from_day == scenario.since), ""
    )


def _spans(user_id: int, scenario: str) -> Spans:
    return identity.consents_of(user_ids=[user_id], scenario=scenario).get(user_id, ())


def _given_at(spans: Spans) -> datetime | None:
    return next((given for given, withdrawn in reversed(spans) if withdrawn is None), None)


def _rule(scenario: ScenarioView, today: date) -> dict[str, Any]:
    """Tell the rule that holds today in words: scope, formulas, cap, and what its values may be used for."""
    try:
        filed = methodology.filed_version(scenario=scenario.code, day=today)
    except NoFiledMethodology:
        return {"filed": None}
    version = methodology.loaded(filed.id)
    return {
        "filed": filed,
        "methodology_name": worded(filed.name_zh, filed.name_en),
        "methodology_url": reverse("portal:methodology", args=(filed.code, filed.version)),
        "scope": version.scope.text(locale()),
        "label": version.label.text(locale()),
        "cap": cap_words(version),
        "fields": fields_asked(filed.id),
        "variants": [
            {
                "name": variant.name.text(locale()),
                "lines": formula_text(version, variant, locale=locale()),
            }
            for variant in version.variants
            if not version.variant_unset(variant)
        ],
    }
