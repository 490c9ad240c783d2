"""What kinds of organisation and roles are called, on every face."""

from __future__ import annotations

from django.utils.translation import gettext, pgettext

from tanpuhui.foundation.identity.queries import OrganisationKind
from tanpuhui.foundation.kernel.actors import Role


def kind_name(kind: str) -> str:
    """Return what a kind of organisation is called."""
    return {
        OrganisationKind.REGULATOR: pgettext("kind", "主管部门"),
        OrganisationKind.CENTRE: pgettext("kind", "运营中心"),
        OrganisationKind.SUBCENTRE: pgettext("kind", "分中心"),
        OrganisationKind.OWNER: pgettext("kind", "项目业主"),
        OrganisationKind.VERIFIER: pgettext("kind", "核查机构"),
        OrganisationKind.EXPERT_BODY: pgettext("kind", "专家机构"),
        OrganisationKind.PARTNER: pgettext("kind", "数据伙伴"),
        OrganisationKind.MERCHANT: pgettext("kind", "商户"),
        OrganisationKind.BUYER: pgettext("kind", "购买方"),
        OrganisationKind.PILOT_AREA: pgettext("kind", "试点区域"),
    }.get(OrganisationKind(kind), kind)


def kind_about(kind: str) -> str:
    """Return what such an organisation does here, in a sentence."""
    return {
        OrganisationKind.REGULATOR: gettext("备案方法学，监督全部环节。"),
        OrganisationKind.SUBCENTRE: gettext("受理和经办所辖各市的事项。"),
        OrganisationKind.OWNER: gettext("开发项目，提交监测报告，持有签发的减排量。"),
        OrganisationKind.VERIFIER: gettext("核查监测报告，写明意见。"),
        OrganisationKind.EXPERT_BODY: gettext("推荐专家，评审方法学和场景。"),
        OrganisationKind.PARTNER: gettext("把出行、回收等记录送来，按同意入账。"),
        OrganisationKind.MERCHANT: gettext("上架商品，核销市民用积分换的券。"),
        OrganisationKind.BUYER: gettext("购买减排量，用于活动或机构的碳中和。"),
        OrganisationKind.PILOT_AREA: gettext("园区、社区、景区等试点，组织本区域的场景。"),
    }.get(OrganisationKind(kind), "")


def work_name(role: str) -> str:
    """Return what somebody of an outside organisation does in a role."""
    return {
        Role.ADMINISTRATOR: gettext("机构管理员：管理本机构的人员和密钥"),
        Role.OWNER: gettext("项目经办：项目、监测报告、持有"),
        Role.VERIFIER: gettext("核查员"),
        Role.EXPERT: gettext("专家"),
        Role.PARTNER: gettext("数据经办：报送和更正数据"),
        Role.MERCHANT: gettext("店员：商品、核销、结算"),
        Role.BUYER: gettext("购买经办：受让和消纳"),
    }.get(Role(role), role)
