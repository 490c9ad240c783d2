"""Delegation (授权代办): let a colleague act in one's place for a while, and end it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tanpuhui.foundation.identity.operations import NEVER_DELEGATED, Delegated, delegate, end_delegation
from tanpuhui.foundation.identity.queries import delegations as delegations_of
from tanpuhui.foundation.identity.queries import organisation, people, staff
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, at_moment, row_act, state_mark
from tanpuhui.interfaces.workbench.words import place_names, role_name, worded

DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class DelegationForm(forms.Form):
    """Which role goes to whom, from when until when, and why."""

    what = forms.ChoiceField(label=gettext_lazy("授权办理"))
    receiver = forms.ChoiceField(label=gettext_lazy("代办人"))
    valid_from = forms.DateField(label=gettext_lazy("从"), widget=DAY)
    valid_to = forms.DateField(label=gettext_lazy("到（含当天）"), widget=DAY)
    reason = forms.CharField(label=gettext_lazy("原因"), max_length=500)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = place_names()
        self.own = {str(number): grant for number, grant in enumerate(delegable(actor))}
        set_choices(
            self,
            "what",
            [
                (
                    key,
                    f"{_organisation(grant)}，{role_name(grant.role)}，{places.get(grant.area, grant.area)}",
                )
                for key, grant in self.own.items()
            ],
        )
        colleagues = {
            person.user_id: person.display_name
            for organisation_id in {grant.organisation_id for grant in self.own.values()}
            for person in staff(organisation_id or 0, at=timezone.now())
            if person.active and str(person.user_id) != actor.id
        }
        set_choices(self, "receiver", [(str(key), name) for key, name in colleagues.items()])


def delegable(actor: Actor) -> list[Grant]:
    """Return what the actor may delegate: own roles of an organisation, no administrator's."""
    return [
        grant
        for grant in actor.grants
        if not grant.on_behalf_of and grant.organisation_id is not None and grant.role not in NEVER_DELEGATED
    ]


@require_safe
def delegations(request: HttpRequest) -> HttpResponse:
    """List what the actor gave and received."""
    actor = who(request)
    now = timezone.now()
    found = delegations_of(user_id=int(actor.id))
    names = people([user_id for one in found for user_id in (one.giver_id, one.receiver_id)])
    places = place_names()
    section = Section(
        columns=(
            Column(gettext("授权人")),
            Column(gettext("代办人")),
            Column(gettext("角色和区域")),
            Column(gettext("起"), "soft"),
            Column(gettext("止"), "soft"),
            Column(gettext("状态")),
            Column(gettext("原因")),
            Column(""),
        ),
        rows=[
            Row(
                (
                    names[one.giver_id].display_name,
                    names[one.receiver_id].display_name,
                    f"{'、'.join(role_name(role) for role in one.roles)}，{places.get(one.area, one.area)}",
                    at_moment(one.valid_from),
                    at_moment(one.over_at),
                    state_mark(_state(one.valid_from, one.over_at, now)),
                    one.reason,
                    row_act(
                        request,
                        reverse("workbench:end-delegation", args=[one.id]),
                        gettext("结束"),
                        kind="text",
                    )
                    if one.over_at > now
                    else "",
                )
            )
            for one in found
        ],
        empty=gettext("没有授权过，也没有代办别人的。"),
        empty_next=gettext("休假或出差时，可以请本机构的同事在一段时间内代您办理；决定上会写两个人的姓名。"),
    )
    context = {
        "title": gettext("授权代办"),
        "lead": gettext("只能授权自己的角色，不能转授；您的角色结束，授权同时结束。"),
        "ways": [Way(label=gettext("新的授权"), url=reverse("workbench:new-delegation"), kind="main")]
        if delegable(actor)
        else [],
        "sections": [section],
    }
    return page(
        request, "workbench/sheet.html", context, section="delegations", crumbs=(Crumb(gettext("授权代办")),)
    )


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Delegate one of the actor's own roles."""
    actor = who(request)
    today = timezone.localdate()
    form = DelegationForm(
        request.POST if request.method == "POST" else None,
        actor=actor,
        initial={"valid_from": today, "valid_to": today + dt.timedelta(days=7)},
    )

    def perform(given: Mapping[str, Any]) -> Delegated:
        grant = form.own[given["what"]]
        return delegate(
            actor=actor,
            at=timezone.now(),
            receiver_id=int(given["receiver"]),
            organisation_id=grant.organisation_id or 0,
            roles=[Role(grant.role)],
            area=grant.area,
            valid_from=_begin(given["valid_from"]),
            valid_to=_begin(given["valid_to"] + dt.timedelta(days=1)),
            reason=given["reason"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform) if request.method == "POST" else None
    if attempt is None or attempt.done is None:
        nobody = not form.own or not any(True for _ in form["receiver"].field.choices)  # type: ignore[attr-defined]
        context = {
            "title": gettext("新的授权"),
            "lead": gettext("代办人的决定会写明代您办理；双人复核时你们算同一方。"),
            "form": None if nobody else form,
            "missing": gettext("没有可以授权的角色，或本机构没有别的同事。"),
            "refused": attempt.refused if attempt else None,
            "submit": {"verb": gettext("授权")},
            "back": reverse("workbench:delegations"),
        }
        crumbs = (Crumb(gettext("授权代办"), reverse("workbench:delegations")), Crumb(gettext("新的授权")))
        return page(
            request,
            "workbench/form.html",
            context,
            section="delegations",
            crumbs=crumbs,
            status=attempt.status if attempt else 200,
        )
    messages.success(request, gettext("已授权。"))
    return see_other("workbench:delegations")


@require_POST
def end(request: HttpRequest, delegation_id: int) -> HttpResponse:
    """End a delegation now."""
    end_delegation(
        actor=who(request), at=timezone.now(), delegation_id=delegation_id, idempotency_key=key_of(request)
    )
    messages.success(request, gettext("授权已结束。"))
    return see_other("workbench:delegations")


def _organisation(grant: Grant) -> str:
    found = organisation(grant.organisation_id or 0)
    return worded(found.name, found.name_en)


def _begin(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=CHINA)


def _state(begins: dt.datetime, over: dt.datetime, now: dt.datetime) -> tuple[str, str]:
    if over <= now:
        return "", gettext("已结束")
    return ("wait", gettext("尚未开始")) if begins > now else ("ok", gettext("有效"))
