"""Admission of a scenario (场景准入): what stands in the way of the next step."""

from __future__ import annotations

from tanpuhui.foundation.kernel.errors import Refusal

PROCESS = "scenario_admission"
SUBJECT_TYPE = "scenario_application"


class SubCentreFirst(Refusal):
    """The sub-centre of the area checks first."""

    code = "SUBCENTRE_FIRST"
    zh = "该地区由{name}先做初审，初审以后再由省运营中心受理。"
    en = "{name_en} looks after this area and checks first; the province accepts after that."


class MethodologyNotFiled(Refusal):
    """Only a filed methodology calculates."""

    code = "METHODOLOGY_NOT_FILED"
    zh = "场景“{scenario}”还没有已备案的方法学（申请中写的是 {methodology}）。备案以后才能评估通过。"
    en = "No methodology is filed for the scenario {scenario} (the application names {methodology}). It can be endorsed after the filing."
