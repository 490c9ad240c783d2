"""The shell of the desk: the doors that the permission table opens to the actor, who they are, and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext

from tanpuhui.foundation.identity.queries import OrganisationView, organisation
from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS, Actor, Role
from tanpuhui.foundation.messages.queries import unread
from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.interfaces.design.parts import Crumb, NavigationItem
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.routes import ROUTES
from tanpuhui.interfaces.workbench.sight import watches_all
from tanpuhui.interfaces.workbench.waiting import count_waiting
from tanpuhui.interfaces.workbench.words import role_name, worded

WITHOUT_INBOX = SCHEME_ADMINISTRATORS | {Role.ADMINISTRATOR}
"""Who looks after people and their rights decides nothing of the scheme, so nothing ever waits for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One page of the desk: its address, name, icon, what it is for, and its group."""

    name: str
    label: str
    icon: str
    about: str
    group: int


def doors(actor: Actor) -> list[Door]:
    """Return the doors that are open to the actor."""
    everything = (
        ("inbox", gettext("待办"), "inbox", gettext("等您办理的事项"), 0),
        ("cases", pgettext("rooms", "办件"), "file", gettext("办理中和办结的全部事项"), 0),
        ("notices", pgettext("rooms", "公示"), "bell", gettext("公示中的事项，答复意见和异议"), 0),
        ("board", gettext("时限看板"), "clock", gettext("办理中、到期、逾期和各环节用时"), 0),
        ("honour", gettext("核销"), "ticket", gettext("输入 12 位券码，核销一张券"), 1),
        ("goods", gettext("商品"), "bag", gettext("上架、补货、下架"), 1),
        ("sheets", gettext("结算单"), "coin", gettext("每月应收和明细"), 1),
        ("batches", gettext("数据批次"), "upload", gettext("文件、逐行结论、没有计入的行"), 2),
        ("reconciliation", gettext("对账"), "scales", gettext("按天汇总，逐条下载"), 2),
        ("data-quality", gettext("数据质量"), "chart", gettext("每天的接收率、重复、延迟和提醒"), 2),
        ("held", gettext("待复核记录"), "info", gettext("数值不寻常、先不入账的记录"), 2),
        ("format", gettext("数据格式"), "info", gettext("列名、单位和范围"), 2),
        ("agreements", gettext("数据共享协议"), "file", gettext("共享什么、用途、依据、有效期"), 2),
        ("applications", gettext("场景申请"), "plus-circle", gettext("申请、技术对接、上线"), 2),
        ("scenarios", gettext("场景与数据"), "chart", gettext("开通的场景和数据接入"), 2),
        ("methodologies", gettext("方法学库"), "flask", gettext("各版本的状态，提出备案"), 3),
        ("drafts", gettext("方法学草稿"), "pen", gettext("编写、核对、试算、提出备案"), 3),
        ("reviews", gettext("我的评审"), "check", gettext("声明、评审意见、表决、评审费"), 3),
        ("panels", gettext("专家评审"), "check", gettext("随机抽取、回避、意见、评审会"), 3),
        ("experts", gettext("专家库"), "people", gettext("聘任、领域、工作量、评审费"), 3),
        (
            "admissions",
            gettext("存量迁入"),
            "download",
            gettext("城市原有平台的账户和积分，经本人确认迁入"),
            3,
        ),
        ("freezes", gettext("账户冻结"), "lock", gettext("冻结的碳账户，提出冻结或解冻"), 3),
        ("pools", gettext("归集"), "plus-circle", gettext("每月归集，取整到吨，余数结转"), 3),
        ("recalculations", gettext("重算"), "scales", gettext("因子修订后试算影响，提出重算"), 3),
        ("projects", pgettext("rooms", "项目"), "leaf", gettext("项目和监测报告"), 3),
        ("issuances", gettext("登记簿"), "layers", gettext("签发批次和持有账户"), 3),
        ("holdings", gettext("持有与转让"), "swap", gettext("持有、在途、已消纳，发起转让和消纳"), 4),
        ("certificates", gettext("消纳证书"), "certificate", gettext("证书、PDF 和离线证明"), 4),
        ("settlements", gettext("商户结算"), "coin", gettext("关闭一个月的结算"), 5),
        ("organisations", gettext("机构"), "building", gettext("人员、角色、合同和密钥"), 5),
        ("areas", gettext("辖区"), "flag", gettext("各市由哪个分中心办理"), 5),
        ("audit", gettext("审计记录"), "shield", gettext("按对象查谁在何时做了什么"), 5),
        ("rules", gettext("规则参数"), "scales", gettext("有效的规则、依据和未设定的值"), 5),
        ("holidays", gettext("节假日"), "calendar", gettext("工作日怎样推算"), 5),
        ("sign-ins", gettext("登录管理"), "lock", gettext("锁定、丢失的第二步验证、临时密码、会话"), 5),
        ("delegations", gettext("授权代办"), "people", gettext("请同事代您办理，随时可以结束"), 6),
        ("me", gettext("我的身份"), "person", gettext("角色、语言、退出登录"), 6),
    )
    return [
        Door(name=name, label=label, icon=icon, about=about, group=group)
        for name, label, icon, about, group in everything
        if ROUTES[name].allows(actor) and (name != "audit" or watches_all(actor))
    ]


def navigation(actor: Actor, section: str, waiting: int | None) -> list[NavigationItem]:
    """Return the doors as the shell draws them, the open one marked."""
    items: list[NavigationItem] = []
    group = 0
    for door in doors(actor):
        items.append(
            NavigationItem(
                door.label,
                f"workbench:{door.name}",
                icon=door.icon,
                active=door.name == section,
                count=waiting if door.name == "inbox" else None,
                starts_group=door.group != group,
            )
        )
        group = door.group
    return items


def own_organisations(actor: Actor) -> list[OrganisationView]:
    """Return the organisations for which the actor works, each once."""
    ids = dict.fromkeys(g.organisation_id for g in actor.grants if g.organisation_id is not None)
    return [organisation(organisation_id) for organisation_id in ids]


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    section: str = "",
    crumbs: Sequence[Crumb] = (),
    status: int = 200,
    waiting: int | None = None,
) -> HttpResponse:
    """Render a page of the desk inside its shell; `waiting` is what the inbox counts, counted here where not given."""
    actor = who(request)
    if waiting is None and actor.roles - WITHOUT_INBOX:
        waiting = count_waiting(actor, timezone.now())
    place = jurisdiction()
    roles = [role_name(role) for role in dict.fromkeys(grant.role for grant in actor.grants)]
    shell: dict[str, Any] = {
        "navigation": navigation(actor, section, waiting),
        "crumbs": crumbs,
        "platform_name": worded(place.scheme_zh, place.scheme_en),
        "home_url": reverse("workbench:inbox"),
        "role_name": " / ".join(roles),
        "person_name": getattr(request.user, "display_name", ""),
        "person_note": " / ".join(worded(o.name, o.name_en) for o in own_organisations(actor)),
        "account_url": reverse("workbench:me"),
        "messages_url": reverse("workbench:messages"),
        "unread": unread(int(actor.id)) if actor.kind == "user" else 0,
    }
    if ROUTES["cases"].allows(actor):
        shell["search_url"] = reverse("workbench:cases")
    return render(request, template, shell | dict(context or {}), status=status)
