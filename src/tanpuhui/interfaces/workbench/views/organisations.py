"""Organisations (机构): who is in, until when their contract runs, who works there and in which role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.foundation.identity.operations import ContractRecorded, record_contract
from tanpuhui.foundation.identity.queries import (
    ContractView,
    OrganisationView,
    StaffView,
    area_assignments,
    contracts,
    delegations,
    people,
    staff,
)
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design.organisations import kind_name
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row, Tab
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import (
    Section,
    Way,
    link,
    on_day,
    row_act,
    side_by_side,
    state_mark,
)
from tanpuhui.interfaces.workbench.sight import organisation_in_sight, organisations_in_sight
from tanpuhui.interfaces.workbench.words import place_names, role_name, worded

SOON = timedelta(days=30)
GRANTERS = (Role.SECURITY_ADMINISTRATOR, Role.ADMINISTRATOR)
KEEPERS = (Role.SYSTEM_ADMINISTRATOR, Role.ADMINISTRATOR)


class ContractForm(forms.Form):
    """A further contract."""

    number = forms.CharField(label=gettext_lazy("合同编号"), max_length=200)
    valid_from = forms.DateField(
        label=gettext_lazy("起日"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    valid_to = forms.DateField(
        label=gettext_lazy("止日（含当天）"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )


@require_safe
def organisations(request: HttpRequest) -> HttpResponse:
    """List the organisations in sight, by kind, with the end of their contract."""
    found = organisations_in_sight(who(request))
    wanted = request.GET.get("kind", "")
    shown = [view for view in found if wanted in {"", view.kind}]
    ends = _contract_ends([view.id for view in shown])
    places = place_names()
    section = Section(
        columns=(
            Column(gettext("机构")),
            Column(gettext("类型"), "soft"),
            Column(gettext("所在地"), "soft"),
            Column(gettext("统一社会信用代码"), "mono"),
            Column(gettext("合同")),
        ),
        rows=[
            Row(
                (
                    worded(view.name, view.name_en),
                    kind_name(view.kind),
                    places.get(view.area, view.area),
                    view.uscc,
                    _contract_state(ends.get(view.id)),
                ),
                url=reverse("workbench:organisation", args=[view.id]),
            )
            for view in shown
        ],
        empty=gettext("没有这类机构。"),
        empty_next=gettext("机构在公开网站的“机构入驻”申请，办结后出现在这里。"),
    )
    context = {"title": gettext("机构"), "tabs": _tabs(found, wanted), "sections": [section]}
    return page(
        request,
        "workbench/organisations.html",
        context,
        section="organisations",
        crumbs=(Crumb(gettext("机构")),),
    )


@require_safe
def organisation(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Show an organisation: facts, people and roles, contracts, areas and who acts for whom."""
    actor = who(request)
    view = organisation_in_sight(actor, organisation_id)
    places = place_names()
    sections = [_people(request, actor, view, places), _delegated(view, places)]
    if view.kind == "subcentre":
        sections.insert(1, _areas(view, places))
    held = contracts(organisation_ids=[view.id])
    if held or not _is_scheme_body(view):
        sections.append(_contracts(actor, view, held))
    context = {
        "title": worded(view.name, view.name_en),
        "facts": [
            Fact(gettext("类型"), kind_name(view.kind)),
            Fact(gettext("统一社会信用代码"), view.uscc, mono=True),
            Fact(gettext("所在地"), places.get(view.area, view.area)),
        ],
        "ways": _ways(actor, view),
        "sections": sections,
    }
    return page(request, "workbench/sheet.html", context, section="organisations", crumbs=crumbs_of(view))


@require_http_methods(["GET", "HEAD", "POST"])
def add_contract(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Record a further contract."""
    actor = who(request)
    view = organisation_in_sight(actor, organisation_id)
    if request.method != "POST":
        return _contract_page(request, view, ContractForm())
    form = ContractForm(request.POST)

    def perform(given: Mapping[str, Any]) -> ContractRecorded:
        return record_contract(
            actor=actor,
            at=timezone.now(),
            organisation_id=organisation_id,
            number=given["number"],
            valid_from=given["valid_from"],
            valid_to=given["valid_to"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _contract_page(request, view, form, refused=attempt.refused, status=attempt.status)
    messages.success(request, gettext("合同已登记。"))
    return see_other("workbench:organisation", organisation_id)


def crumbs_of(view: OrganisationView, *more: Crumb) -> tuple[Crumb, ...]:
    """Return the way to an organisation's page, and further."""
    own = Crumb(
        worded(view.name, view.name_en),
        reverse("workbench:organisation", args=[view.id]) if more else "",
    )
    return (Crumb(gettext("机构"), reverse("workbench:organisations")), own, *more)


def may(actor: Actor, view: OrganisationView, scheme_role: Role) -> bool:
    """Say whether the actor holds a scheme administrator's role over the organisation, or administers it."""
    return actor.has(scheme_role, area=view.area) or actor.has(Role.ADMINISTRATOR, organisation_id=view.id)


def _is_scheme_body(view: OrganisationView) -> bool:
    return view.kind in {"regulator", "centre", "subcentre"}


def _ways(actor: Actor, view: OrganisationView) -> list[Way]:
    ways = []
    if may(actor, view, Role.SYSTEM_ADMINISTRATOR):
        ways.append(
            Way(label=gettext("添加人员"), url=reverse("workbench:add-person", args=[view.id]), kind="main")
        )
    if not _is_scheme_body(view) and actor.has(Role.SYSTEM_ADMINISTRATOR, area=view.area):
        ways.append(Way(label=gettext("登记合同"), url=reverse("workbench:add-contract", args=[view.id])))
    if view.kind == "partner" and may(actor, view, Role.SECURITY_ADMINISTRATOR):
        ways.append(Way(label=gettext("接口密钥"), url=reverse("workbench:api-keys", args=[view.id])))
    return ways


def _people(request: HttpRequest, actor: Actor, view: OrganisationView, places: Mapping[str, str]) -> Section:
    found = staff(view.id, at=timezone.now())
    grants = may(actor, view, Role.SECURITY_ADMINISTRATOR)
    invites = grants or may(actor, view, Role.SYSTEM_ADMINISTRATOR)
    return Section(
        title=gettext("人员"),
        columns=(
            Column(gettext("姓名")),
            Column(gettext("用户名"), "mono"),
            Column(gettext("角色和区域")),
            Column(gettext("登录")),
            Column(""),
        ),
        rows=[
            Row(
                (
                    person.display_name,
                    person.username,
                    _roles(request, actor, person, places, ends=grants),
                    state_mark(
                        ("ok", gettext("已激活")) if person.activated else ("wait", gettext("等待激活"))
                    ),
                    _acts(request, actor, view, person, grants=grants, invites=invites),
                )
            )
            for person in found
        ],
        empty=gettext("还没有人员。"),
        empty_next=gettext("由系统管理员或本机构管理员添加，再授予角色。"),
    )


def _roles(
    request: HttpRequest, actor: Actor, person: StaffView, places: Mapping[str, str], *, ends: bool
) -> Any:
    if not person.roles:
        return gettext("没有角色")
    marks = []
    for membership_id, role, area, valid_to in person.roles:
        until = gettext("，至 %(day)s") % {"day": f"{valid_to:%Y-%m-%d}"} if valid_to else ""
        words = f"{role_name(role)}，{places.get(area, area)}{until}"
        if ends and str(person.user_id) != actor.id:
            marks.append(
                side_by_side(
                    state_mark(("", words)),
                    link(reverse("workbench:end-membership", args=[membership_id]), gettext("结束")),
                )
            )
        else:
            marks.append(state_mark(("", words)))
    return side_by_side(*marks)


def _acts(
    request: HttpRequest,
    actor: Actor,
    view: OrganisationView,
    person: StaffView,
    *,
    grants: bool,
    invites: bool,
) -> Any:
    marks = []
    if grants and str(person.user_id) != actor.id:
        marks.append(
            link(reverse("workbench:grant-role", args=[view.id, person.user_id]), gettext("授予角色"))
        )
    if invites and not person.activated:
        marks.append(
            row_act(
                request,
                reverse("workbench:invite-again", args=[view.id, person.user_id]),
                gettext("重发激活码"),
                kind="text",
            )
        )
    return side_by_side(*marks)


def _areas(view: OrganisationView, places: Mapping[str, str]) -> Section:
    return Section(
        title=gettext("管辖区域"),
        columns=(
            Column(gettext("区域")),
            Column(gettext("起"), "soft"),
            Column(gettext("止"), "soft"),
            Column(gettext("理由")),
        ),
        rows=[
            Row((places.get(row.area, row.area), on_day(row.valid_from), on_day(row.valid_to), row.reason))
            for row in area_assignments(organisation_id=view.id)
        ],
        empty=gettext("还没有划入区域，人员不能办理案件。"),
        empty_next=gettext("由系统管理员在“辖区”页面划分。"),
    )


def _contracts(actor: Actor, view: OrganisationView, held: Sequence[ContractView]) -> Section:
    return Section(
        title=gettext("合同"),
        columns=(
            Column(gettext("编号"), "mono"),
            Column(gettext("起"), "soft"),
            Column(gettext("止"), "soft"),
            Column(gettext("状态")),
        ),
        rows=[
            Row((row.number, on_day(row.valid_from), on_day(row.valid_to), _contract_state(row.valid_to)))
            for row in held
        ],
        empty=gettext("没有登记合同，权限不随合同到期。"),
        note=gettext("没有在有效期内的合同时，本机构人员的角色和接口密钥停用；登记新合同后恢复。")
        if held
        else "",
    )


def _delegated(view: OrganisationView, places: Mapping[str, str]) -> Section:
    now = timezone.now()
    found = [one for one in delegations(organisation_id=view.id) if one.over_at > now]
    names = people([user_id for one in found for user_id in (one.giver_id, one.receiver_id)])
    return Section(
        title=gettext("授权代办"),
        columns=(
            Column(gettext("授权人")),
            Column(gettext("代办人")),
            Column(gettext("角色和区域")),
            Column(gettext("起"), "soft"),
            Column(gettext("止"), "soft"),
            Column(gettext("原因")),
        ),
        rows=[
            Row(
                (
                    names[one.giver_id].display_name,
                    names[one.receiver_id].display_name,
                    f"{'、'.join(role_name(role) for role in one.roles)}，{places.get(one.area, one.area)}",
                    on_day(one.valid_from),
                    on_day(one.over_at),
                    one.reason,
                )
            )
            for one in found
        ],
        empty=gettext("没有有效的授权代办。"),
    )


def _contract_ends(organisation_ids: Sequence[int]) -> dict[int, date]:
    ends: dict[int, date] = {}
    for row in contracts(organisation_ids=organisation_ids):
        ends[row.organisation_id] = max(row.valid_to, ends.get(row.organisation_id, row.valid_to))
    return ends


def _contract_state(ends: date | None) -> Any:
    if ends is None:
        return ""
    today = timezone.localdate()
    if ends < today:
        return state_mark(("bad", gettext("%(day)s 已到期") % {"day": f"{ends:%Y-%m-%d}"}))
    tone = "wait" if ends - today <= SOON else "ok"
    return state_mark((tone, gettext("至 %(day)s") % {"day": f"{ends:%Y-%m-%d}"}))


def _tabs(found: Sequence[OrganisationView], wanted: str) -> list[Tab]:
    home = reverse("workbench:organisations")
    counts: dict[str, int] = {}
    for view in found:
        counts[view.kind] = counts.get(view.kind, 0) + 1
    return [
        Tab(gettext("全部机构"), home, len(found), active=not wanted),
        *(
            Tab(kind_name(kind), f"{home}?kind={kind}", count, active=kind == wanted)
            for kind, count in sorted(counts.items())
        ),
    ]


def _contract_page(
    request: HttpRequest,
    view: OrganisationView,
    form: ContractForm,
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "title": gettext("登记合同"),
        "lead": worded(view.name, view.name_en),
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("登记合同")},
        "back": reverse("workbench:organisation", args=[view.id]),
    }
    crumbs = crumbs_of(view, Crumb(gettext("登记合同")))
    return page(
        request, "workbench/form.html", context, section="organisations", crumbs=crumbs, status=status
    )
