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


class NotTheApplicant(Refusal):
    """Only the applicant takes this step."""

    code = "NOT_THE_APPLICANT"
    zh = "这一步由申请单位办理。运营中心只在自己是申请单位时才能办理。"
    en = "This step is the applicant's. The centre takes it only where it applied itself."


class MethodologyNotFiled(Refusal):
    """Only a filed methodology calculates."""

    code = "METHODOLOGY_NOT_FILED"
    zh = "场景“{scenario}”还没有已备案的方法学（申请中写的是 {methodology}）。备案以后才能评估通过。"
    en = "No methodology is filed for the scenario {scenario} (the application names {methodology}). It can be endorsed after the filing."
