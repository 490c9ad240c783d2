"""What a case of admission is about (入驻申请): the organisation, its contract and whom it authorises."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from tanpuhui.foundation.identity.queries import application, masked_phone, person
from tanpuhui.interfaces.design.organisations import kind_name
from tanpuhui.interfaces.design.parts import Column, Fact, Row
from tanpuhui.interfaces.workbench.words import place_names, role_name, worded


def admission_part(application_id: int) -> dict[str, Any]:
    """Return the facts and people of an application; phones with their middle hidden."""
    view = application(application_id)
    facts = view.facts
    return {
        "facts": [
            Fact(gettext("机构名称"), worded(facts.name, facts.name_en)),
            Fact(gettext("类型"), kind_name(facts.kind)),
            Fact(gettext("统一社会信用代码"), facts.uscc, mono=True),
            Fact(gettext("所在地"), place_names().get(facts.area, facts.area)),
            Fact(gettext("合同"), facts.contract_number),
            Fact(gettext("合同期"), f"{facts.contract_from:%Y-%m-%d} – {facts.contract_to:%Y-%m-%d}"),
            Fact(gettext("申请人"), person(view.applicant_id).display_name),
        ],
        "columns": (
            Column(gettext("姓名")),
            Column(gettext("手机号"), "mono"),
            Column(gettext("用户名"), "mono"),
            Column(gettext("角色")),
        ),
        "rows": [
            Row(
                (
                    one.name,
                    masked_phone(one.phone),
                    one.username,
                    "、".join(role_name(role) for role in one.roles) or gettext("由安全管理员授予"),
                )
            )
            for one in facts.people
        ],
        "organisation_id": view.organisation_id,
    }
