"""Partners apply for their scenarios and go live (场景准入): first check, docking, assessment, notice; one waits in docking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import (
    accept_sample,
    open_application,
    save_application,
    submit_application,
    try_sample,
)
from tanpuhui.behaviour.activity.queries import (
    DataField,
    Exclusion,
    Reach,
    ScenarioContent,
    suggested_fields,
)
from tanpuhui.foundation.identity.operations import grant_role
from tanpuhui.foundation.identity.queries import area_assignments
from tanpuhui.foundation.kernel.actors import SYSTEM, Role, area_covers
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, end_notices
from tanpuhui.interfaces.commands.demonstration.behaviour_generator import (
    MODES,
    Faults,
    Traveller,
    behaviour_rows,
    csv_lines,
)
from tanpuhui.interfaces.commands.demonstration.cast import Troupe
from tanpuhui.interfaces.commands.demonstration.stage import Stage
from tanpuhui.science.methodology.queries import VersionView, library

NOTICE_WORKING_DAYS = "3"
"""How long the notice lasts where no rule says; whoever puts it to notice writes why."""
SAMPLE_ROWS = 40
SAMPLE_PEOPLE = 8
OPERATOR_RECORD = 1
NO_FAULTS = Faults(late=0, duplicate=0, impossible=0, malformed=0, unknown=0)
EXTRA = (
    DataField(code="line", meaning="线路（轨迹，按期限删除）", purpose="事后抽查"),
    DataField(code="from_place", meaning="起点（轨迹，按期限删除）", purpose="事后抽查"),
    DataField(code="to_place", meaning="终点（轨迹，按期限删除）", purpose="事后抽查"),
    DataField(code="distance_km", meaning="里程，km", purpose="核算减排量"),
    DataField(code="duration_s", meaning="时长，s", purpose="核对是否合理"),
    DataField(code="vehicle_type", meaning="车辆类型", purpose="核对适用范围"),
)
STEPS = {
    "first_check": "材料齐全，初审通过。演示意见。",
    "accept": "同意受理，请在沙箱里对接。演示意见。",
    "ready": "样本已通过，请核对。演示意见。",
    "pass": "与质量报告核对无误，提交评估。演示意见。",
    "endorse": "评估通过。本省没有规定公示天数，演示中定为 3 个工作日。演示意见。",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a partner applies for: the methodology's code and scenario, the scenario's names and class."""

    methodology: str
    scenario: str
    scenario_class: str
    name_zh: str
    name_en: str


def train_sub_centres(stage: Stage) -> None:
    """Let the people of the sub-centres take the first check of what comes from their cities."""
    at = stage.founding() + timedelta(hours=1)
    centre_area = stage.cast.troupe("centre").area
    for troupe in stage.cast.of_kind("subcentre"):
        for player in troupe.players[:1]:
            grant_role(
                actor=SYSTEM,
                at=at,
                user_id=stage.user_ids[player.username],
                organisation_id=stage.organisation_ids[troupe.key],
                role=Role.SUBCENTRE,
                area=centre_area,
                idempotency_key=stage.key("first check", player.username),
            )


def admit_scenarios(stage: Stage) -> None:
    """Take every partner's scenario through its case until it is live. What was done by an earlier run is left."""
    at = stage.founding() + timedelta(days=1)
    for troupe in stage.cast.troupes:
        if troupe.feed is None:
            continue
        filed = next(v for v in library() if v.scenario == troupe.feed.code and v.filed_at is not None)
        wish = Wish(
            methodology=filed.code,
            scenario=troupe.feed.code,
            scenario_class=troupe.feed.scenario_class,
            name_zh=troupe.feed.name_zh,
            name_en=troupe.feed.name_en,
        )
        application_id = _apply(stage, troupe, wish, at=at)
        _dock_and_endorse(stage, troupe, application_id, at=at)
    _wait_for_notices(stage)


def leave_one_in_docking(stage: Stage) -> None:
    """Leave the first partner with another scenario, whose methodology is not filed and whose first sample failed."""
    at = stage.moment(stage.today - timedelta(days=4), 9)
    troupe, feed = next((one, one.feed) for one in stage.cast.troupes if one.feed is not None)
    version = _not_filed_yet()
    wish = Wish(
        methodology=version.code,
        scenario=version.scenario,
        scenario_class=feed.scenario_class,
        name_zh=version.name_zh,
        name_en=version.name_en,
    )
    application_id = _apply(stage, troupe, wish, at=at)
    case_id = activity.application(application_id).case_id
    if case_id is None or workflow.case(case_id).state != "applied":
        return
    _accept(stage, case_id, at=at)
    rows = _sample(stage, troupe, day=at.date() - timedelta(days=1), scenario=version.scenario)
    undeclared = rows.replace(b"vehicle_type", b"vehicle_type,phone_model", 1)
    _try(stage, troupe, application_id, undeclared, name="trial-1.csv", at=at + timedelta(hours=5))


def _apply(stage: Stage, troupe: Troupe, wish: Wish, *, at: datetime) -> int:
    """Write and submit a partner's application; the same application when the story is told again."""
    organisation_id = stage.organisation_ids[troupe.key]
    username = stage.player(troupe.key)
    content = _content(stage, wish, organisation_id=organisation_id, day=at.date())
    opened = open_application(
        actor=stage.actor(username, at),
        at=at,
        organisation_id=organisation_id,
        content=ScenarioContent(code=wish.scenario, methodology_code=wish.methodology, name_zh=wish.name_zh),
        idempotency_key=stage.key("application", troupe.key, wish.scenario),
    )
    saved = save_application(
        actor=stage.actor(username, at),
        at=at + timedelta(minutes=20),
        application_id=opened.application_id,
        version=opened.version,
        content=content,
        idempotency_key=stage.key("application", troupe.key, wish.scenario, "filled in"),
    )
    submit_application(
        actor=stage.actor(username, at),
        at=at + timedelta(minutes=40),
        application_id=opened.application_id,
        version=saved.version,
        idempotency_key=stage.key("application", troupe.key, wish.scenario, "submitted"),
    )
    return opened.application_id


def _content(stage: Stage, wish: Wish, *, organisation_id: int, day: date) -> ScenarioContent:
    content = ScenarioContent(
        code=wish.scenario,
        name_zh=wish.name_zh,
        name_en=wish.name_en,
        scenario_class=wish.scenario_class,
        reach=Reach.GENERAL.value,
        area=stage.cast.troupe("centre").area,
        behaviour=f"{wish.name_zh}代替排放更高的方式；每次行为由运营系统记录，完成后计入。演示文本。",
        partner_id=organisation_id,
        methodology_code=wish.methodology,
        records_per_day=stage.cast.records // stage.cast.days,
        people=stage.cast.citizens,
        adapter="standard",
        evidence_tier=OPERATOR_RECORD,
        evidence_note="运营系统自动产生的记录，保存原始日志，可事后抽查。演示文本。",
        excluded_from=tuple(one.value for one in Exclusion),
    )
    fields = suggested_fields(content, day=day)
    codes = {field.code for field in fields}
    return replace(content, fields=(*fields, *(one for one in EXTRA if one.code not in codes)))


def _dock_and_endorse(stage: Stage, troupe: Troupe, application_id: int, *, at: datetime) -> None:
    """Take an application from its first check to the public notice."""
    case_id = activity.application(application_id).case_id
    if case_id is None:
        return
    _accept(stage, case_id, at=at)
    username = stage.player(troupe.key)
    scenario = activity.application(application_id).content.code
    rows = _sample(stage, troupe, day=at.date() - timedelta(days=1), scenario=scenario)
    sample_id = _try(stage, troupe, application_id, rows, name="sample.csv", at=at + timedelta(hours=4))
    _step(stage, case_id, "ready", username, at=at + timedelta(hours=5))
    maker = stage.with_role("centre", "maker")
    if activity.sample(sample_id).verdict != "passed":
        accept_sample(
            actor=stage.actor(maker, at),
            at=at + timedelta(hours=6),
            sample_id=sample_id,
            reason="已逐行核对，差异由样本时段造成。演示意见。",
            idempotency_key=stage.key("sample accepted", sample_id),
        )
    _step(stage, case_id, "pass", maker, at=at + timedelta(hours=6))
    checker = stage.with_role("centre", "checker")
    _step(stage, case_id, "endorse", checker, at=at + timedelta(hours=7))


def _accept(stage: Stage, case_id: int, *, at: datetime) -> None:
    """Have the sub-centre of the place check first, where there is one, and the province accept."""
    area = workflow.case(case_id).area
    centre_ids = [one.organisation_id for one in area_assignments(at=at) if area_covers(one.area, area)]
    for troupe in stage.cast.of_kind("subcentre"):
        if stage.organisation_ids[troupe.key] in centre_ids:
            username = troupe.players[0].username
            _step(stage, case_id, "first_check", username, at=at + timedelta(hours=2))
    _step(stage, case_id, "accept", stage.with_role("centre", "maker"), at=at + timedelta(hours=3))


def _step(stage: Stage, case_id: int, outcome: str, username: str, *, at: datetime) -> None:
    values: Mapping[str, str] = {}
    if outcome == "endorse":
        version = rulebook.process_by_id(workflow.case(case_id).process_version_id)
        if version.state("notice").notice_working_days is None:
            values = {"notice_working_days": NOTICE_WORKING_DAYS}
    decide(
        actor=stage.actor(username, at),
        at=at,
        idempotency_key=stage.key("admission", case_id, outcome),
        case_id=case_id,
        outcome=outcome,
        opinion=STEPS[outcome],
        values=values,
    )


def _try(
    stage: Stage, troupe: Troupe, application_id: int, content: bytes, *, name: str, at: datetime
) -> int:
    return try_sample(
        actor=stage.actor(stage.player(troupe.key), at),
        at=at,
        application_id=application_id,
        file_name=name,
        media_type="text/csv",
        content=content,
        idempotency_key=stage.key("sample", troupe.key, name, application_id),
    ).sample_id


def _sample(stage: Stage, troupe: Troupe, *, day: date, scenario: str) -> bytes:
    """Return a day's rows of a few invented travellers; a scenario that the story does not live borrows the first mode."""
    rows = behaviour_rows(
        seed=stage.cast.seed,
        scenario=scenario if scenario in MODES else next(iter(MODES)),
        travellers=[
            Traveller(subject=f"sample-{number}", area=troupe.area) for number in range(SAMPLE_PEOPLE)
        ],
        first_day=day,
        days=1,
        records=SAMPLE_ROWS,
        faults=NO_FAULTS,
    )
    return "".join(csv_lines(row | {"scenario": scenario} for row in rows)).encode()


def _wait_for_notices(stage: Stage) -> None:
    """Let the days of the notices pass, as the worker sees them, until every scenario of the story is live."""
    day = (stage.founding() + timedelta(days=1)).date()
    while any(view.state == "applied" for view in activity.applications()):
        day += timedelta(days=1)
        if day > stage.today:
            message = "a public notice of the demonstration does not end before today"
            raise RuntimeError(message)
        end_notices(at=stage.moment(day, 0, 30))


def _not_filed_yet() -> VersionView:
    """Return the first methodology for a scenario of everyday life that is still waiting for its filing."""
    filed = {view.scenario for view in library() if view.filed_at is not None}
    return next(
        view
        for view in library()
        if view.methodology_class == "SCENARIO" and view.filed_at is None and view.scenario not in filed
    )
