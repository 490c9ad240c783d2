"""Scenario applications (场景申请): what an applicant declares, what is still missing, and which definition a sample proves."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tanpuhui.behaviour.activity.domain.mappings import MAPPED, mapping_sha256
from tanpuhui.foundation.kernel.errors import Refusal

SCENARIO_CODE = re.compile(r"^[a-z][a-z0-9_-]{1,39}$")
COLUMN_CODE = re.compile(r"^[^\s,\"']{1,60}$")
TEXT_CHARACTERS_MAX = 4_000
FIELDS_MAX = 60
DOCUMENTS_MAX = 30
EVIDENCE_TIERS = (1, 2, 3, 4)
"""1 operator's record, 2 signed device, 3 uploaded proof, 4 self check-in (issue 5; research/methodologies.md)."""


class ApplicationState(StrEnum):
    """States of an application (申请状态). Only a draft and a returned one are edited."""

    DRAFT = "draft"
    APPLIED = "applied"
    RETURNED = "returned"
    LIVE = "live"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


EDITABLE = frozenset({ApplicationState.DRAFT, ApplicationState.RETURNED})
TRYABLE = frozenset({ApplicationState.DRAFT, ApplicationState.RETURNED, ApplicationState.APPLIED})
"""States in which a sample can be tried in the sandbox."""


def tryable(state: str, content: ScenarioContent) -> bool:
    """Say whether a sample can be tried now: before the decision, and of a live feed's next field mapping."""
    return state in TRYABLE or (state == ApplicationState.LIVE and content.adapter == MAPPED)


class Reach(StrEnum):
    """Whether a scenario is the same everywhere or belongs to one place (通用、特色)."""

    GENERAL = "general"
    REGIONAL = "regional"


class Exclusion(StrEnum):
    """The schemes in which the same reduction must not count (排他声明), [S16] and research/policy.md 1.7 item 8."""

    ETS = "ets"
    CCER = "ccer"
    GREEN_CERTIFICATE = "green_certificate"
    OTHER_SCHEME = "other_scheme"


@dataclass(frozen=True, kw_only=True, slots=True)
class DataField:
    """A column that the partner will send, what it means and what it is needed for (最小必要, 个人信息保护法第六条 [S30])."""

    code: str
    meaning: str
    purpose: str
    required: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentRef:
    """A document of the application: its content's SHA-256 and its name."""

    sha256: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioContent:
    """What an application says. `partner_id` sends the records, which may be another organisation than the applicant.

    `methodology_code` names a methodology that is filed or applied for. `records_per_day` and `people` are what the
    applicant expects, 0 where nothing was said. `excluded_from` are the schemes in which the reduction does not count.
    `mapping` is the field mapping (字段映射) as it was written, empty where the files are in a format of ours.
    """

    code: str = ""
    name_zh: str = ""
    name_en: str = ""
    scenario_class: str = ""
    reach: str = Reach.GENERAL.value
    area: str = ""
    behaviour: str = ""
    partner_id: int = 0
    methodology_code: str = ""
    fields: tuple[DataField, ...] = ()
    records_per_day: int = 0
    people: int = 0
    adapter: str = ""
    evidence_tier: int = 0
    evidence_note: str = ""
    default_area: str = ""
    excluded_from: tuple[str, ...] = ()
    exclusion_note: str = ""
    documents: tuple[DocumentRef, ...] = ()
    mapping: str = ""

    def with_document(self, document: DocumentRef) -> ScenarioContent:
        """Return it with one more document; the same bytes stand once."""
        others = tuple(one for one in self.documents if one.sha256 != document.sha256)
        return replace(self, documents=(*others, document))

    def without_document(self, sha256: str) -> ScenarioContent:
        """Return it without a document."""
        return replace(self, documents=tuple(one for one in self.documents if one.sha256 != sha256))


def feed_definition_sha256(content: ScenarioContent) -> str:
    """Return the hash of what a sample proves (接入定义): who sends which columns of which scenario, how and how well.

    A changed name or description leaves a sample valid; a changed column, format, tier, methodology or mapping does not.
    """
    said: dict[str, object] = {
        "partner": content.partner_id,
        "scenario": content.code,
        "adapter": content.adapter,
        "evidence_tier": content.evidence_tier,
        "default_area": content.default_area,
        "methodology": content.methodology_code,
        "fields": sorted([field.code, field.required] for field in content.fields),
    }
    if content.mapping:
        said["mapping"] = mapping_sha256(content.mapping)
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Lack:
    """Something that an application lacks before it can be submitted: the field and what to do, in both languages."""

    field: str
    zh: str
    en: str

    def text(self, locale: str = "zh") -> str:
        """Return it as a sentence."""
        return self.en if locale.startswith("en") else self.zh


def lacks(
    content: ScenarioContent,
    *,
    classes: Sequence[str],
    adapters: Sequence[str],
    areas: Sequence[str],
    needed_columns: Mapping[str, str],
) -> tuple[Lack, ...]:
    """Return everything that is missing or wrong, in the order of the form; none means that it can be submitted.

    `classes`, `adapters` and `areas` are what the rules, formats and regions allow; `needed_columns` are the columns
    (code to name) without which the methodology cannot calculate.
    """
    found: list[Lack] = []

    def lack(field: str, zh: str, en: str) -> None:
        found.append(Lack(field=field, zh=zh, en=en))

    if not SCENARIO_CODE.match(content.code):
        lack(
            "code",
            "场景代码用小写字母开头，只含字母、数字、下划线和连字符",
            "The code begins with a small letter and has letters, digits, _ and - only",
        )
    for name, zh, en in _TEXTS:
        if not str(getattr(content, name)).strip():
            lack(name, f"请填写{zh}", f"Fill in {en}")
    for name, allowed, zh, en in (
        ("scenario_class", classes, "类别", "the class"),
        ("reach", tuple(Reach), "适用范围", "general or regional"),
        ("area", areas, "地区", "the area"),
        ("adapter", adapters, "数据格式", "the data format"),
        ("evidence_tier", EVIDENCE_TIERS, "证据等级", "the evidence tier"),
    ):
        if getattr(content, name) not in allowed:
            lack(name, f"请选择{zh}", f"Choose {en}")
    if content.default_area and content.default_area not in areas:
        lack("default_area", "缺省地区不在登记的区域之内", "The default area is not a registered region")
    if content.partner_id <= 0:
        lack("partner_id", "请选择报送数据的机构", "Choose who sends the records")
    if content.records_per_day <= 0:
        lack("records_per_day", "请填写预计每天的记录数", "Say how many records a day you expect")
    _lacks_of_fields(content, needed_columns, lack)
    missing = [one.value for one in Exclusion if one.value not in content.excluded_from]
    if missing and not content.exclusion_note.strip():
        lack(
            "excluded_from",
            "请声明减排量没有进入其他机制；有重叠的，请写明怎样排除",
            "Declare that the reductions count in no other scheme, or write how an overlap is excluded",
        )
    return tuple(found)


_TEXTS = (
    ("name_zh", "中文名称", "the Chinese name"),
    ("name_en", "英文名称", "the English name"),
    ("behaviour", "行为说明", "the description of the behaviour"),
    ("methodology_code", "方法学", "the methodology"),
    ("evidence_note", "证据说明", "what the evidence is"),
)


def _lacks_of_fields(
    content: ScenarioContent, needed_columns: Mapping[str, str], lack: Callable[[str, str, str], None]
) -> None:
    """Every column has a meaning and a purpose, none stands twice, and what the methodology needs is there."""
    codes = [field.code for field in content.fields]
    if not codes:
        lack("fields", "请列出要报送的列", "List the columns that will be sent")
    for field in content.fields:
        if not COLUMN_CODE.match(field.code):
            lack("fields", f"列名“{field.code}”不能用", f"The column name '{field.code}' cannot be used")
        if not field.meaning.strip() or not field.purpose.strip():
            lack(
                "fields",
                f"列“{field.code}”缺少含义或用途：没有用途的数据不收集",
                f"The column '{field.code}' lacks its meaning or purpose: what serves no purpose is not collected",
            )
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        lack("fields", f"列“{code}”写了两次", f"The column '{code}' stands twice")
    for code, name in needed_columns.items():
        if code not in codes:
            lack(
                "fields",
                f"方法学要用的列“{code}”（{name}）没有列出",
                f"The column '{code}' ({name}), which the methodology needs, is not listed",
            )


class ApplicationNotEditable(Refusal):
    """The application is with the centre, or decided."""

    code = "APPLICATION_NOT_EDITABLE"
    zh = "申请已提交或已有结论，现在不能修改。退回补正以后可以修改。"
    en = "The application has been submitted or decided and cannot be edited now. It can after a return for correction."


class ApplicationChanged(Refusal):
    """Somebody else saved the application meanwhile."""

    code = "APPLICATION_CHANGED"
    zh = "申请已由同事保存为第 {version} 版，您的修改没有保存。请刷新后再改。"
    en = "A colleague saved version {version} of the application meanwhile. Your changes were not saved: reload and edit again."


class ApplicationIncomplete(Refusal):
    """Something is missing before the application can be submitted."""

    code = "APPLICATION_INCOMPLETE"
    zh = "还不能提交：{zh}。"
    en = "It cannot be submitted yet: {en}."

    def __init__(self, *, lacking: Sequence[Lack]) -> None:
        self.lacking = tuple(lacking)
        super().__init__(
            zh="；".join(one.zh for one in lacking),
            en="; ".join(one.en for one in lacking),
            fields=", ".join(dict.fromkeys(one.field for one in lacking)),
        )


class FeedStands(Refusal):
    """The partner sends this scenario in this format already."""

    code = "FEED_STANDS"
    zh = "该机构已经以 {adapter} 格式报送场景“{scenario}”，不需要再申请。"
    en = (
        "The partner already sends the scenario {scenario} in the format {adapter}; no application is needed."
    )


class ApplicationRuns(Refusal):
    """Another application of the same feed is on its way."""

    code = "APPLICATION_RUNS"
    zh = "同一机构、同一场景、同一格式已有一份申请（{application_id}）在办理。请在那一份里继续。"
    en = "An application ({application_id}) for the same partner, scenario and format is on its way. Go on with that one."


class ScenarioIsClosed(Refusal):
    """Nothing new is opened for a closed scenario."""

    code = "SCENARIO_IS_CLOSED"
    zh = "场景“{scenario}”已经关闭，不再接入数据。"
    en = "The scenario {scenario} is closed; no feed is opened for it any more."


class ScenarioNotDecided(Refusal):
    """An effect was called without its decision."""

    code = "SCENARIO_NOT_DECIDED"
    zh = "办件 {case_id} 最近的决定不是对该事项的“{outcome}”，不能据此办理。"
    en = "The latest decision of case {case_id} is not {outcome} on this subject, so nothing follows from it."
