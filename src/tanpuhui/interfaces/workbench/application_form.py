"""The application as a form (申请表): what can be chosen, the columns row by row, and the way from post to content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import (
    DataField,
    Exclusion,
    Reach,
    ScenarioContent,
    adapter_names,
    suggested_fields,
)
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.interfaces.design.scenario_words import reach_text, tier_text
from tanpuhui.interfaces.workbench.acting import set_choices
from tanpuhui.interfaces.workbench.docking_words import exclusion_name
from tanpuhui.interfaces.workbench.words import methodology_state, place_names, worded
from tanpuhui.science.methodology import queries as methodology

BLANK_ROWS = 3
TIERS = (1, 2, 3, 4)
PASSED_OVER = frozenset({"returned", "rejected", "withdrawn"})
CLASSES = frozenset({"SCENARIO", "PROJECT", "POINTS"})


class LaterText(forms.CharField):
    """A text that submitting needs and saving does not."""

    def validate(self, value: Any) -> None:
        """Let it be empty for now."""


class LaterNumber(forms.IntegerField):
    """A number that submitting needs and saving does not."""

    def validate(self, value: Any) -> None:
        """Let it be empty for now."""


class LaterChoices(forms.MultipleChoiceField):
    """Choices that submitting needs and saving does not."""

    def validate(self, value: Any) -> None:
        """Let them be open for now; what is chosen must be among the choices."""
        if value:
            super().validate(value)


class ChoicesForm(forms.Form):
    """What decides which columns are needed: methodology, format, evidence; and what the scenario is called."""

    methodology = forms.ChoiceField(
        label=gettext_lazy("方法学"),
        help_text=gettext_lazy("已备案的可以上线；还在申请备案的可以先对接，备案以后才能评估通过。"),
    )
    partner_id = forms.TypedChoiceField(label=gettext_lazy("报送数据的机构"), coerce=int)
    name_zh = forms.CharField(label=gettext_lazy("场景名称"), max_length=60)
    name_en = forms.CharField(label=gettext_lazy("英文名称"), max_length=80)
    scenario_class = forms.ChoiceField(label=gettext_lazy("类别"), widget=forms.RadioSelect)
    reach = forms.ChoiceField(label=gettext_lazy("适用范围"), widget=forms.RadioSelect, initial=Reach.GENERAL)
    area = forms.ChoiceField(label=gettext_lazy("地区"))
    adapter = forms.ChoiceField(label=gettext_lazy("数据格式"))
    evidence_tier = forms.TypedChoiceField(label=gettext_lazy("证据等级"), coerce=int)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        classes = activity.scenario_classes(at=timezone.now())
        set_choices(self, "methodology", methodology_choices())
        set_choices(
            self,
            "partner_id",
            [(str(one.id), worded(one.name, one.name_en)) for one in organisations(kind="partner")],
        )
        set_choices(self, "scenario_class", [(one.code, worded(one.name_zh, one.name_en)) for one in classes])
        set_choices(self, "reach", [(one.value, reach_text(one.value)) for one in Reach])
        set_choices(self, "area", list(place_names().items()))
        set_choices(self, "adapter", [(name, adapter_text(name)) for name in adapter_names()])
        set_choices(self, "evidence_tier", [(str(tier), tier_text(tier)) for tier in TIERS])


class BeginForm(ChoicesForm):
    """An application as it begins, for one of the actor's organisations."""

    organisation_id = forms.TypedChoiceField(label=gettext_lazy("申请单位"), coerce=int)
    field_order = ("organisation_id",)

    def __init__(self, *args: Any, own: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "organisation_id", [(str(key), name) for key, name in own.items()])


class EditForm(ChoicesForm):
    """The whole application but its columns and documents; what is not written yet can be written later."""

    use_required_attribute = False

    behaviour = LaterText(
        label=gettext_lazy("行为说明"),
        widget=forms.Textarea,
        help_text=gettext_lazy("谁做了什么、和平常相比少排放在哪里、怎样才算完成。"),
    )
    evidence_note = LaterText(
        label=gettext_lazy("证据说明"),
        widget=forms.Textarea,
        help_text=gettext_lazy("记录由什么产生（系统、设备、本人），能不能事后核对。"),
    )
    records_per_day = LaterNumber(label=gettext_lazy("预计每天的记录数，条"), min_value=0)
    people = forms.IntegerField(label=gettext_lazy("预计参与人数，人"), min_value=0, required=False)
    default_area = forms.ChoiceField(
        label=gettext_lazy("没有写地区的行算在"),
        required=False,
        help_text=gettext_lazy("不选，则没有写地区的行不计入。"),
    )
    excluded_from = LaterChoices(
        label=gettext_lazy("我单位声明：这些减排量没有、也不会进入"),
        widget=forms.CheckboxSelectMultiple,
    )
    exclusion_note = forms.CharField(
        label=gettext_lazy("有重叠的，怎样排除"), widget=forms.Textarea, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "default_area", [("", gettext("不设")), *place_names().items()])
        set_choices(self, "excluded_from", [(one.value, exclusion_name(one.value)) for one in Exclusion])


def methodology_choices() -> list[tuple[str, str]]:
    """Return each methodology once, as code and scenario, with the state of its best version in words."""
    found: dict[str, tuple[bool, str]] = {}
    for view in methodology.library():
        if view.methodology_class not in CLASSES or view.state in PASSED_OVER:
            continue
        filed = view.filed_at is not None
        _, state = methodology_state(view.state)
        key = f"{view.code}|{view.scenario}"
        if key not in found or (filed and not found[key][0]):
            found[key] = (filed, f"{view.code} {worded(view.name_zh, view.name_en)} · {state}")
    return sorted(((key, words) for key, (_, words) in found.items()), key=lambda pair: pair[0])


def adapter_text(name: str) -> str:
    """Say what a format is."""
    return {
        "standard": gettext("标准格式（CSV 或 NDJSON，列按名称识别）"),
        "mapped": gettext("自有格式（CSV、NDJSON、Parquet 或 Excel，按字段映射读）"),
        "shenzhen_tong": gettext("交通卡刷卡流水（进出站配成行程）"),
    }.get(name, name)


def begun(given: Mapping[str, Any]) -> ScenarioContent:
    """Return the content with which an application begins: columns as format and methodology need them."""
    content = _with_choices(ScenarioContent(), given)
    suggested = suggested_fields(content, day=timezone.localdate())
    return replace(content, fields=suggested)


def edited(before: ScenarioContent, given: Mapping[str, Any], fields: Sequence[DataField]) -> ScenarioContent:
    """Return the content that a form says."""
    return replace(
        _with_choices(before, given),
        behaviour=given["behaviour"].strip(),
        evidence_note=given["evidence_note"].strip(),
        records_per_day=given["records_per_day"] or 0,
        people=given["people"] or 0,
        default_area=given["default_area"],
        excluded_from=tuple(given["excluded_from"]),
        exclusion_note=given["exclusion_note"].strip(),
        fields=tuple(fields),
    )


def initial_of(content: ScenarioContent) -> dict[str, Any]:
    """Return what the form shows of a content."""
    return {
        "methodology": f"{content.methodology_code}|{content.code}",
        "partner_id": content.partner_id or "",
        "name_zh": content.name_zh,
        "name_en": content.name_en,
        "scenario_class": content.scenario_class,
        "reach": content.reach,
        "area": content.area,
        "adapter": content.adapter,
        "evidence_tier": content.evidence_tier or "",
        "behaviour": content.behaviour,
        "evidence_note": content.evidence_note,
        "records_per_day": content.records_per_day or "",
        "people": content.people or "",
        "default_area": content.default_area,
        "excluded_from": list(content.excluded_from),
        "exclusion_note": content.exclusion_note,
    }


def fields_of_post(post: QueryDict) -> tuple[DataField, ...]:
    """Return the columns of a posted form; a row without a name is no column."""
    rows = zip(
        post.getlist("column_code"),
        post.getlist("column_meaning"),
        post.getlist("column_purpose"),
        strict=False,
    )
    needed = set(post.getlist("column_required"))
    return tuple(
        DataField(
            code=code.strip(),
            meaning=meaning.strip(),
            purpose=purpose.strip(),
            required=str(number) in needed,
        )
        for number, (code, meaning, purpose) in enumerate(rows)
        if code.strip()
    )


def column_rows(fields: Sequence[DataField]) -> list[dict[str, Any]]:
    """Return the rows of the columns' part of the form, some blank ones at the end."""
    blank = [DataField(code="", meaning="", purpose="")] * BLANK_ROWS
    return [
        {"number": number, "field": field, "name": f"{gettext('列')} {number + 1}"}
        for number, field in enumerate([*fields, *blank])
    ]


def _with_choices(content: ScenarioContent, given: Mapping[str, Any]) -> ScenarioContent:
    methodology_code, _, scenario = given["methodology"].partition("|")
    return replace(
        content,
        code=scenario,
        methodology_code=methodology_code,
        partner_id=given["partner_id"],
        name_zh=given["name_zh"].strip(),
        name_en=given["name_en"].strip(),
        scenario_class=given["scenario_class"],
        reach=given["reach"],
        area=given["area"],
        adapter=given["adapter"],
        evidence_tier=given["evidence_tier"],
    )
