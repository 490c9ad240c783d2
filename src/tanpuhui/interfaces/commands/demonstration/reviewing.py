"""The expert committee of the demonstration: a pool is appointed, panels are drawn, one of them recused, versions reviewed."""

from __future__ import annotations

from datetime import datetime, timedelta

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.interfaces.commands.demonstration.cast import ExpertPlan
from tanpuhui.interfaces.commands.demonstration.stage import Stage
from tanpuhui.science.methodology.operations import (
    cast_vote,
    declare_expert_interest,
    declare_seat,
    draw_panel,
    file_minutes,
    make_remark,
    propose_expert,
    record_meeting,
    save_review,
    sign_conclusion,
)
from tanpuhui.science.methodology.queries import (
    PanelView,
    SeatState,
    expert_terms,
    files,
    library,
    panel_of_case,
    version,
)

FIELD = "living"
TERM_DAYS = 730
MINUTES = "评审会纪要（演示）\n一、专家逐项陈述评分理由。\n二、讨论逐行意见与申请单位的答复。\n三、表决。\n"
OPINIONS = {
    "inclusive": "个人日常出行即可参与，没有门槛。演示意见。",
    "quantifiable": "公式与算例逐项复核一致，因子出处可查。演示意见。",
    "additional": "基准情景取自出行方式转移，论证可以接受。演示意见。",
    "monitoring": "数据由运营方系统产生，可持续取得。演示意见。",
    "once": "同一行程由唯一编号约束，不会重复计入。演示意见。",
}


def appoint_experts(stage: Stage) -> None:
    """Propose everybody of the pool and have the department appoint them; one declares an interest in a methodology."""
    at = stage.entering() + timedelta(hours=1)
    maker = stage.actor(stage.with_role("centre", "maker"), at)
    regulator = stage.actor(stage.with_role("regulator", "regulator"), at)
    for plan in stage.cast.experts:
        name, uscc = _employer(stage, plan)
        proposed = propose_expert(
            actor=maker,
            at=at,
            user_id=stage.user_ids[plan.username],
            organisation_id=stage.organisation_ids[stage.cast.of_kind("expert_body")[0].key],
            employer_name=name,
            employer_uscc=uscc,
            title=plan.title,
            fields=plan.fields,
            term_from=business_day(at),
            term_to=business_day(at) + timedelta(days=TERM_DAYS),
            idempotency_key=stage.key("expert", plan.username),
        )
        decide(
            actor=regulator,
            at=at,
            idempotency_key=stage.key("expert", plan.username, "appoint"),
            case_id=proposed.case_id,
            outcome="appoint",
            opinion="专业和任职条件符合，同意聘任。演示意见。",
        )


def declare_interest(stage: Stage, *, at: datetime) -> None:
    """Let the expert of a project owner say beforehand that they may not judge the methodology of that owner's scenario."""
    plan = partial_expert(stage)
    scenario = next(one.scenario for one in stage.cast.projects if one.owner == plan.works_for)
    code = next(one.code for one in library() if one.scenario == scenario)
    declare_expert_interest(
        actor=stage.actor(plan.username, at),
        at=at,
        kind="methodology",
        reference=code,
        note="所在单位准备开发这一场景的项目。演示内容。",
        idempotency_key=stage.key("interest", plan.username, code),
    )


def seat_panel(stage: Stage, *, case_id: int, at: datetime, wanted: str = "") -> PanelView:
    """Accept a filing, draw its panel and have it declare; if somebody wanted is not called, the first gives way."""
    maker = stage.actor(stage.with_role("centre", "maker"), at)
    decide(
        actor=maker,
        at=at,
        idempotency_key=stage.key("filing", case_id, "accept"),
        case_id=case_id,
        outcome="accept",
        opinion="材料齐全，受理。演示意见。",
    )
    draw_panel(
        actor=maker, at=at, case_id=case_id, fields=(FIELD,), idempotency_key=stage.key("panel", case_id)
    )
    panel = _panel(case_id)
    users = _users_of(stage)
    if wanted and wanted not in {users[seat.expert_number] for seat in panel.sitting}:
        _declare(stage, panel, users[panel.sitting[0].expert_number], free=False, at=at)
    for seat in _panel(case_id).sitting:
        if seat.state == SeatState.SEATED:
            _declare(stage, panel, users[seat.expert_number], free=True, at=at)
    return _panel(case_id)


def review(stage: Stage, *, panel: PanelView, at: datetime) -> None:
    """Have everybody on a panel hand in their opinion."""
    users = _users_of(stage)
    for place, seat in enumerate(panel.declared):
        actor = stage.actor(users[seat.expert_number], at)
        save_review(
            actor=actor,
            at=at,
            panel_id=panel.panel_id,
            scores={criterion.code: 4 + (place + number) % 2 for number, criterion in enumerate(panel.criteria)},
            texts={criterion.code: OPINIONS.get(criterion.code, "符合要求。演示意见。") for criterion in panel.criteria},
            text="方法可行，公式和参数表达清楚，建议备案。演示意见。",
            recommendation="recommend",
            submit=True,
            idempotency_key=stage.key("review", panel.panel_id, panel.version_id, seat.expert_number),
        )  # fmt: skip


def meet(stage: Stage, *, panel: PanelView, at: datetime, dissent: bool = False) -> None:
    """Hold the meeting: minutes, votes (one against where a dissent is wanted), and the chair's signature."""
    users, here = _users_of(stage), [seat.expert_number for seat in panel.declared]
    maker = stage.actor(stage.with_role("centre", "maker"), at)
    meeting_id = record_meeting(
        actor=maker,
        at=at,
        panel_id=panel.panel_id,
        held_at=at - timedelta(hours=2),
        place="省碳普惠运营中心会议室（演示）",
        agenda="听取申请单位说明；讨论评分和逐行意见；表决。",
        present=here,
        chair=here[0],
        idempotency_key=stage.key("meeting", panel.panel_id, panel.version_id),
    ).meeting_id
    file_minutes(
        actor=maker,
        at=at,
        meeting_id=meeting_id,
        content=MINUTES.encode(),
        name="纪要.txt",
        media_type="text/plain",
        idempotency_key=stage.key("minutes", meeting_id),
    )
    for place, number in enumerate(here):
        against = dissent and place == len(here) - 1
        cast_vote(
            actor=stage.actor(users[number], at),
            at=at,
            meeting_id=meeting_id,
            vote="against" if against else "for",
            dissent="基准情景按全省平均取值，建议积累一年数据后分市复核。演示意见。" if against else "",
            idempotency_key=stage.key("vote", meeting_id, number),
        )
    sign_conclusion(
        actor=stage.actor(users[here[0]], at),
        at=at,
        meeting_id=meeting_id,
        conclusion="recommend",
        opinion="评审会同意推荐备案；保留意见随案公布。演示意见。",
        idempotency_key=stage.key("sign", meeting_id),
    )
    decide(
        actor=maker,
        at=at + timedelta(hours=1),
        idempotency_key=stage.key("filing", panel.case_id, "conclude"),
        case_id=panel.case_id,
        outcome="conclude",
        opinion="评审会推荐，提交公示。演示意见。",
    )


def _declare(stage: Stage, panel: PanelView, username: str, *, free: bool, at: datetime) -> None:
    text = "本人及所在单位与本案无利害关系。" if free else "本人曾为本方法学提供过咨询，申请回避。"
    declare_seat(
        actor=stage.actor(username, at),
        at=at,
        panel_id=panel.panel_id,
        free=free,
        declaration=f"{text}演示内容。",
        idempotency_key=stage.key("declare", panel.panel_id, username),
    )


def remark(stage: Stage, *, panel: PanelView, at: datetime) -> None:
    """Let the first on a panel remark on the first formula of the version."""
    first = _users_of(stage)[panel.declared[0].expert_number]
    path = "methodology.yaml"
    lines = files(panel.version_id)[path].decode().splitlines()
    line = next((place for place, text in enumerate(lines, start=1) if "formula:" in text), 1)
    make_remark(
        actor=stage.actor(first, at),
        at=at,
        panel_id=panel.panel_id,
        path=path,
        line=line,
        text=f"请说明 {version(panel.version_id).code} 的基准因子为何按年取值，而不按季。演示意见。",
        idempotency_key=stage.key("remark", panel.panel_id),
    )


def _panel(case_id: int) -> PanelView:
    found = panel_of_case(case_id)
    if found is None:
        message = f"case {case_id} has no panel"
        raise LookupError(message)
    return found


def partial_expert(stage: Stage) -> ExpertPlan:
    """Return the expert who works for a project owner."""
    return next(plan for plan in stage.cast.experts if plan.works_for)


def _employer(stage: Stage, plan: ExpertPlan) -> tuple[str, str]:
    if plan.works_for:
        troupe = stage.cast.troupe(plan.works_for)
        return troupe.name, complete_uscc(*troupe.uscc_stem)
    return plan.employer, complete_uscc(*plan.employer_stem)


def _users_of(stage: Stage) -> dict[int, str]:
    """Return the user names of the pool by expert number."""
    users = {user_id: username for username, user_id in stage.user_ids.items()}
    return {term.expert_number: users[term.user_id] for term in expert_terms() if term.user_id in users}
