"""The people of an organisation (机构人员): add one, invite again, give a role, end one."""

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
from django.views.decorators.http import require_http_methods, require_POST

from tanpuhui.foundation.identity.operations import (
    MembershipOver,
    PersonAdded,
    RoleGranted,
    end_membership,
    grant_role,
    invite_again,
    invite_person,
)
from tanpuhui.foundation.identity.queries import (
    ROLES_OF_KIND,
    MembershipView,
    OrganisationKind,
    OrganisationView,
    StaffView,
    membership,
    staff,
)
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted, Refusal
from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.interfaces.design.parts import Crumb, Fact
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.sight import organisation_in_sight
from tanpuhui.interfaces.workbench.views.organisations import crumbs_of, may
from tanpuhui.interfaces.workbench.words import place_names, role_name, worded


class PersonForm(forms.Form):
    """Somebody who will sign in."""

    display_name = forms.CharField(label=gettext_lazy("姓名"), max_length=200)
    phone = forms.CharField(
        label=gettext_lazy("手机号"), max_length=20, help_text=gettext_lazy("激活码发到这里，加密保存。")
    )
    username = forms.CharField(
        label=gettext_lazy("登录用户名"),
        max_length=40,
        help_text=gettext_lazy("4 位以上，字母开头，可用小写字母、数字和 . _ -"),
    )


class GrantForm(forms.Form):
    """A role in an area, with an end where it has one."""

    role = forms.ChoiceField(label=gettext_lazy("角色"))
    area = forms.ChoiceField(label=gettext_lazy("区域"))
    until = forms.DateField(
        label=gettext_lazy("到（含当天）"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=gettext_lazy("不填就是长期。"),
    )

    def __init__(self, *args: Any, view: OrganisationView, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = sorted(ROLES_OF_KIND[OrganisationKind(view.kind)])
        set_choices(self, "role", [(role.value, role_name(role)) for role in roles])
        places = place_names()
        # People of a sub-centre hold their role over the province and act on what their centre is assigned.
        first = jurisdiction().area if view.kind == OrganisationKind.SUBCENTRE else view.area
        areas = [first, *(code for code in sorted(places) if code != first and _inside(code, first))]
        set_choices(self, "area", [(code, places.get(code, code)) for code in areas])


class EndForm(forms.Form):
    """Ending a role needs nothing but the decision."""


@require_http_methods(["GET", "HEAD", "POST"])
def add_person(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Add somebody to an organisation; the activation code goes to their phone."""
    actor = who(request)
    view = organisation_in_sight(actor, organisation_id)
    if not may(actor, view, Role.SYSTEM_ADMINISTRATOR):
        raise NotPermitted(operation="identity.invite_person")
    form = PersonForm(request.POST if request.method == "POST" else None)

    def perform(given: Mapping[str, Any]) -> PersonAdded:
        return invite_person(
            actor=actor,
            at=timezone.now(),
            organisation_id=organisation_id,
            username=given["username"],
            display_name=given["display_name"],
            phone=given["phone"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform) if request.method == "POST" else None
    if attempt is None or attempt.done is None:
        context = {
            "title": gettext("添加人员"),
            "lead": gettext("添加以后还没有角色；由安全管理员或本机构管理员授予。"),
            "form": form,
            "submit": {"verb": gettext("添加人员")},
        }
        return _form_page(request, view, context, attempt)
    messages.success(request, gettext("已添加，激活码发往本人手机。"))
    return see_other("workbench:organisation", organisation_id)


@require_POST
def invite(request: HttpRequest, organisation_id: int, user_id: int) -> HttpResponse:
    """Send another activation code."""
    actor = who(request)
    _person(organisation_in_sight(actor, organisation_id), user_id)
    invite_again(actor=actor, at=timezone.now(), user_id=user_id, idempotency_key=key_of(request))
    messages.success(request, gettext("激活码已重新发送，以前的作废。"))
    return see_other("workbench:organisation", organisation_id)


@require_http_methods(["GET", "HEAD", "POST"])
def grant(request: HttpRequest, organisation_id: int, user_id: int) -> HttpResponse:
    """Give somebody a role."""
    actor = who(request)
    view = organisation_in_sight(actor, organisation_id)
    person = _person(view, user_id)
    if not may(actor, view, Role.SECURITY_ADMINISTRATOR):
        raise NotPermitted(operation="identity.grant_role")
    form = GrantForm(request.POST if request.method == "POST" else None, view=view)

    def perform(given: Mapping[str, Any]) -> RoleGranted:
        return grant_role(
            actor=actor,
            at=timezone.now(),
            user_id=user_id,
            organisation_id=organisation_id,
            role=Role(given["role"]),
            area=given["area"],
            valid_to=_end_of(given["until"]),
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform) if request.method == "POST" else None
    if attempt is None or attempt.done is None:
        context = {
            "title": gettext("授予角色"),
            "facts": [
                Fact(gettext("姓名"), person.display_name),
                Fact(gettext("用户名"), person.username, mono=True),
            ],
            "form": form,
            "submit": {"verb": gettext("授予角色")},
        }
        return _form_page(request, view, context, attempt)
    messages.success(request, gettext("角色已授予。"))
    return see_other("workbench:organisation", organisation_id)


@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, membership_id: int) -> HttpResponse:
    """End a role after asking once."""
    actor = who(request)
    held = membership(membership_id)
    try:
        view = organisation_in_sight(actor, held.organisation_id)
    except NotFound:
        raise NotFound(what="成员关系 membership", id=membership_id) from None
    if not may(actor, view, Role.SECURITY_ADMINISTRATOR):
        raise NotPermitted(operation="identity.end_membership")
    form = EndForm(request.POST if request.method == "POST" else None)

    def perform(_: Mapping[str, Any]) -> MembershipOver:
        return end_membership(
            actor=actor, at=timezone.now(), membership_id=membership_id, idempotency_key=key_of(request)
        )

    attempt = Attempt(form, perform) if request.method == "POST" else None
    if attempt is None or attempt.done is None:
        context = {
            "title": gettext("结束角色"),
            "lead": gettext("结束后立即生效；此前办理的事项仍然有效。"),
            "facts": _facts_of(held),
            "form": form,
            "submit": {"verb": gettext("结束角色"), "kind": "danger"},
        }
        return _form_page(request, view, context, attempt)
    messages.success(request, gettext("角色已结束。"))
    return see_other("workbench:organisation", held.organisation_id)


def _facts_of(held: MembershipView) -> list[Fact]:
    return [
        Fact(gettext("姓名"), held.display_name),
        Fact(gettext("角色"), role_name(held.role)),
        Fact(gettext("区域"), place_names().get(held.area, held.area)),
    ]


def _person(view: OrganisationView, user_id: int) -> StaffView:
    """Return one of the organisation's people. Raises NotFound."""
    for person in staff(view.id, at=timezone.now()):
        if person.user_id == user_id:
            return person
    raise NotFound(what="用户 user", id=user_id)


def _inside(code: str, outer: str) -> bool:
    return code.startswith(outer.rstrip("0") or outer) and code != outer


def _end_of(until: dt.date | None) -> dt.datetime | None:
    """Return the moment at which the day after the last one begins."""
    if until is None:
        return None
    return dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), tzinfo=CHINA)


def _form_page(
    request: HttpRequest, view: OrganisationView, context: dict[str, Any], attempt: Attempt[Any] | None
) -> HttpResponse:
    refused: Refusal | None = attempt.refused if attempt else None
    context |= {"refused": refused, "back": reverse("workbench:organisation", args=[view.id])}
    context.setdefault("lead", worded(view.name, view.name_en))
    return page(
        request,
        "workbench/form.html",
        context,
        section="organisations",
        crumbs=crumbs_of(view, Crumb(context["title"])),
        status=attempt.status if attempt else 200,
    )
