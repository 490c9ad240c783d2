"""What a project and its monitoring report may be."""

from __future__ import annotations

import re

from tanpuhui.foundation.kernel.errors import Refusal

PROJECT_CODE = re.compile(r"^[A-Z]{1,3}\d{3,6}$")


class ProjectCodeTaken(Refusal):
    """Two projects cannot have one number."""

    code = "PROJECT_CODE_TAKEN"
    zh = "项目编号 {project_code} 已经使用。请换一个编号。"
    en = "The project code {project_code} is in use. Choose another."


class ScenarioTaken(Refusal):
    """The reductions of one scenario are swept into one project only, so that none is counted twice."""

    code = "SCENARIO_TAKEN"
    zh = "场景 {scenario} 已由项目 {project_code} 归集，不能再登记第二个项目。"
    en = "Scenario {scenario} is already swept into project {project_code}; a second project is not possible."


class PoolAlreadyReported(Refusal):
    """A pool is the source of one monitoring report."""

    code = "POOL_ALREADY_REPORTED"
    zh = "归集池 {pool_id} 已经在监测报告 {report_id} 中。"
    en = "Pool {pool_id} is already in monitoring report {report_id}."


class NothingToIssue(Refusal):
    """Less than one tonne is carried into the next period."""

    code = "NOTHING_TO_ISSUE"
    zh = "本期不足 1 吨，余数结转下期，不需要提交监测报告。"
    en = "This period holds less than one tonne; it is carried into the next, and no report is needed."


class PoolOfAnotherScenario(Refusal):
    """A project takes the pools of its own scenario."""

    code = "POOL_OF_ANOTHER_SCENARIO"
    zh = "归集池属于场景 {pool_scenario}，项目 {project_code} 只接收场景 {scenario}。"
    en = "The pool is of scenario {pool_scenario}; project {project_code} takes scenario {scenario} only."


class NotVerified(Refusal):
    """Units are issued on a verifier's statement, and on nothing else."""

    code = "NOT_VERIFIED"
    zh = "监测报告 {report_id} 还没有核查声明，不能签发。"
    en = "Monitoring report {report_id} has no verification statement, so nothing can be issued."
