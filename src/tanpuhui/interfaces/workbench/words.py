"""The words of the desk: roles, states, kinds and verdicts, in the page's language."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.utils.translation import gettext, pgettext

from tanpuhui.foundation.identity.queries import organisation_names, person
from tanpuhui.foundation.rulebook.queries import region_names, regions
from tanpuhui.interfaces.design.figures import in_english
from tanpuhui.interfaces.design.rule_words import confidence_words, role_name

__all__ = [
    "ATTACHMENT_KINDS",
    "acting_for",
    "attachment_kind",
    "batch_state",
    "case_kind",
    "confidence_words",
    "coupon_state",
    "in_english",
    "locale",
    "methodology_state",
    "movement_state",
    "names_of_organisations",
    "names_of_places",
    "place_names",
    "purpose_of_numbers",
    "purpose_of_use",
    "relation_name",
    "role_name",
    "transfer_state",
    "verdict_name",
    "worded",
]


def locale() -> str:
    """Return zh or en."""
    return "en" if in_english() else "zh"


def worded(zh: str, en: str) -> str:
    """Return the wording of the page's language, the other where one is empty."""
    return (en or zh) if in_english() else (zh or en)


def names_of_places(codes: Collection[str]) -> dict[str, str]:
    """Return the names of these areas, counties too, by code."""
    return {code: worded(zh, en) for code, (zh, en) in region_names(set(codes)).items()}


def names_of_organisations(organisation_ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of these organisations by identifier."""
    found = organisation_names({id_ for id_ in organisation_ids if id_ is not None})
    return {id_: worded(zh, en) for id_, (zh, en) in found.items()}


def place_names() -> dict[str, str]:
    """Return the names of areas by code."""
    return {region.code: worded(region.name_zh, region.name_en) for region in regions(level="province")} | {
        region.code: worded(region.name_zh, region.name_en) for region in regions(level="city")
    }


def acting_for(giver_id: str) -> str:
    """Return “（代 某某 办理）” for the person who delegated, nothing where a role is the actor's own."""
    if not giver_id:
        return ""
    return gettext("（代 %(giver)s 办理）") % {"giver": person(int(giver_id)).display_name}


def case_kind(process: str) -> str:
    """Return the short word of a process, its code where nobody gave it one."""
    return {
        "issuance": pgettext("process", "签发"),
        "methodology_filing": pgettext("process", "备案"),
        "batch_correction": pgettext("process", "数据更正"),
        "settlement_confirmation": pgettext("process", "结算对账"),
        "transfer": pgettext("process", "转让"),
        "notice": pgettext("process", "公示"),
        "recalculation": pgettext("process", "重算"),
        "scenario_admission": pgettext("process", "场景准入"),
        "scenario_standing": pgettext("process", "场景状态"),
        "account_freeze": pgettext("process", "账户冻结"),
        "record_appeal": pgettext("process", "记录申诉"),
        "impact_assessment": pgettext("process", "影响评估"),
        "data_agreement": pgettext("process", "数据协议"),
        "data_agreement_end": pgettext("process", "协议终止"),
        "record_claw_back": pgettext("process", "记录冲回"),
        "record_disowning": pgettext("process", "否认记录"),
        "programme_admission": pgettext("process", "存量迁入"),
        "decision_amendment": pgettext("process", "更正撤销"),
        "appeal": pgettext("process", "申诉"),
        "organisation_admission": pgettext("process", "入驻"),
        "review": pgettext("process", "评审"),
        "expert_appointment": pgettext("process", "专家聘任"),
        "methodology_life": pgettext("process", "复审与变更"),
    }.get(process, process)


ATTACHMENT_KINDS = ("application", "evidence", "sample_report", "minutes", "contract", "letter", "other")
"""Kinds of attachment that can be chosen on every case, beside those that its process demands."""


def attachment_kind(kind: str) -> str:
    """Return what a kind of attachment is called, its code where nobody gave it one."""
    return {
        "application": gettext("申请材料"),
        "evidence": gettext("证明材料"),
        "sample_report": gettext("样本数据报告"),
        "minutes": gettext("会议纪要"),
        "contract": gettext("合同或协议"),
        "letter": gettext("函件"),
        "other": gettext("其他材料"),
    }.get(kind, kind)


def relation_name(kind: str, *, outgoing: bool) -> str:
    """Return what binds a case to another, seen from the one that named it (outgoing) or from the other."""
    return {
        ("amends", True): gettext("更正或撤销的原案件"),
        ("amends", False): gettext("更正或撤销"),
        ("appeals", True): gettext("申诉所针对的案件"),
        ("appeals", False): gettext("申诉"),
        ("follows", True): gettext("起因案件"),
        ("follows", False): gettext("由此而立的案件"),
    }.get((kind, outgoing), kind)


def methodology_state(state: str) -> tuple[str, str]:
    """Return tone and words of a methodology version's state."""
    return {
        "draft": ("", gettext("草案")),
        "proposed": ("wait", gettext("已提出")),
        "reviewed": ("wait", gettext("专家已推荐")),
        "filed": ("ok", gettext("已备案")),
        "returned": ("bad", gettext("退回补正")),
        "rejected": ("bad", gettext("不予备案")),
        "replaced": ("", gettext("已由补正稿代替")),
        "withdrawn": ("", gettext("已撤回")),
        "suspended": ("bad", gettext("已暂停")),
        "superseded": ("", gettext("已被新版本接替")),
        "repealed": ("bad", gettext("已废止")),
    }.get(state, ("", state))


def purpose_of_numbers(purpose: str) -> str:
    """Say what results may be used for; empty for real operation."""
    return {"operation": "", "demonstration": gettext("演示"), "test": gettext("测试")}.get(purpose, purpose)


def batch_state(state: str) -> tuple[str, str]:
    """Return tone and words of a batch's state."""
    return {
        "received": ("wait", gettext("已收到，正在入账")),
        "posted": ("ok", gettext("已入账")),
        "refused": ("bad", gettext("整个文件没有采用")),
    }.get(state, ("", state))


def verdict_name(verdict: str) -> str:
    """Return what a verdict is called."""
    return {
        "counted": gettext("计入"),
        "clipped": gettext("按上限计入"),
        "paired": gettext("并入行程"),
        "duplicate": gettext("重复"),
        "rejected": gettext("没有计入"),
        "pending": gettext("待绑定"),
        "waiting": gettext("待结算"),
        "excluded": gettext("互斥"),
    }.get(verdict, verdict)


def movement_state(state: str) -> tuple[str, str]:
    """Return tone and words of where a unit is."""
    return {
        "held": ("ok", gettext("持有")),
        "in_transit": ("wait", gettext("在途")),
        "retired": ("info", gettext("已消纳")),
    }.get(state, ("", state))


def transfer_state(state: str) -> tuple[str, str]:
    """Return tone and words of a transfer's state."""
    return {
        "offered": ("wait", gettext("等待受让方答复")),
        "accepted": ("ok", gettext("已接受")),
        "declined": ("bad", gettext("已谢绝")),
    }.get(state, ("", state))


def coupon_state(state: str) -> tuple[str, str]:
    """Return tone and words of a coupon's state."""
    return {
        "reserved": ("ok", gettext("可以核销")),
        "honoured": ("info", gettext("已核销")),
        "cancelled": ("bad", gettext("已取消")),
        "expired": ("bad", gettext("已过期")),
    }.get(state, ("", state))


def purpose_of_use(purpose: str) -> str:
    """Return what a use of units is called."""
    return {
        "event_neutrality": gettext("活动碳中和"),
        "organisation_neutrality": gettext("机构碳中和"),
        "personal_neutrality": gettext("个人碳中和"),
        "voluntary_retirement": gettext("自愿注销"),
        "ecological_compensation": gettext("生态损害补偿"),
    }.get(purpose, purpose)
