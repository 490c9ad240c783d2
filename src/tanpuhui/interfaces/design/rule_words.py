"""The words of the rules, alike on every face: how far a value can be trusted, what a role is called, how a notice stands."""

from __future__ import annotations

from django.utils.translation import gettext

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.workflow.queries import NoticeState


def confidence_words(tag: str) -> str:
    """Say in words how far a rule's value can be trusted, with its evidence tag (research note on policy, section 0)."""
    words = {
        "GK-H": gettext("通行知识，可信度高"),
        "GK-M": gettext("通行知识，可信度中"),
        "GK-L": gettext("通行知识，可信度低"),
        "DI": gettext("本平台推定，不是规定"),
        "NOT ESTABLISHED": gettext("查过，没有找到规定"),
        "DEMO": gettext("演示值"),
    }.get(tag)
    return words or gettext("据文件抄本（%(tag)s），须核对原文") % {"tag": tag}


def role_name(role: str) -> str:
    """Return what a role is called."""
    return {
        Role.PARTNER: gettext("数据伙伴"),
        Role.MERCHANT: gettext("商户"),
        Role.OWNER: gettext("项目业主"),
        Role.BUYER: gettext("购买方"),
        Role.VERIFIER: gettext("核查机构"),
        Role.EXPERT: gettext("专家委员会"),
        Role.MAKER: gettext("运营中心，经办岗"),
        Role.CHECKER: gettext("运营中心，复核岗"),
        Role.SUBCENTRE: gettext("分中心"),
        Role.REGULATOR: gettext("主管部门"),
        Role.CITIZEN: gettext("公众"),
        Role.ADMINISTRATOR: gettext("机构管理员"),
        Role.SYSTEM_ADMINISTRATOR: gettext("系统管理员"),
        Role.SECURITY_ADMINISTRATOR: gettext("安全管理员"),
        Role.AUDIT_ADMINISTRATOR: gettext("审计管理员"),
    }.get(Role(role), role)


def notice_state(state: NoticeState) -> tuple[str, str]:
    """Return tone and words of where a public notice stands."""
    return {
        NoticeState.RUNNING: ("info", gettext("公示中")),
        NoticeState.WAITING: ("wait", gettext("期满，待结论")),
        NoticeState.ENDED: ("ok", gettext("已结束")),
    }[state]
