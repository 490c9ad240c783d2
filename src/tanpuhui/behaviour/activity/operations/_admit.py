"""Submit an application (场景准入), and what each decision of its case does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.adapters.contents import content_of
from tanpuhui.behaviour.activity.domain.admission import PROCESS, SUBJECT_TYPE
from tanpuhui.behaviour.activity.domain.applications import (
    ApplicationChanged,
    ApplicationIncomplete,
    ApplicationNotEditable,
    ApplicationRuns,
    ApplicationState,
    FeedStands,
    ScenarioContent,
    ScenarioIsClosed,
    ScenarioNotDecided,
)
from tanpuhui.behaviour.activity.domain.mappings import MappingSource, feed_adapter
from tanpuhui.behaviour.activity.domain.standing import Standing
from tanpuhui.behaviour.activity.models import (
    Feed,
    Scenario,
    ScenarioApplication,
    ScenarioApplicationVersion,
)
from tanpuhui.behaviour.activity.operations._apply import APPLICANTS, locked_application
from tanpuhui.behaviour.activity.operations._open_scenario import open_feed, open_scenario
from tanpuhui.behaviour.activity.queries._applications import application_lacks
from tanpuhui.behaviour.activity.queries._samples import sample_in_force
from tanpuhui.behaviour.activity.queries._standing import standing_now
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role, area_covers
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import open_case

UNDER_WAY = (ApplicationState.APPLIED.value, ApplicationState.RETURNED.value)
CENTRES = frozenset({"centre", "subcentre"})
SUBJECT = "scenario_application:{application_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplicationSubmitted:
    """An application is with the centre."""

    application_id: int
    case_id: int
    number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplicationSettled:
    """What a decision made of an application; scenario and feed where it went live."""

    application_id: int
    state: str
    scenario_id: int | None
    feed_id: int | None


@operation(roles=APPLICANTS, subject=SUBJECT)
def submit_application(
    *, actor: Actor, at: datetime, application_id: int, version: int, idempotency_key: str
) -> ApplicationSubmitted:
    """Open the case of a complete draft. One that was returned is submitted again in its case.

    The case lies where the applicant is at home, or in the scenario's area where that is inside it: there the applicant
    may act, and the sub-centre of the place checks first. Where the centre applies, the partner that sends the records
    answers for them: the case lies where the partner is at home.
    Raises NotFound, NotPermitted, ApplicationNotEditable, ApplicationChanged, ApplicationIncomplete, FeedStands,
    ApplicationRuns, ScenarioIsClosed.
    """
    row = locked_application(application_id)
    actor.require(*APPLICANTS, operation="activity.submit_application", organisation_id=row.organisation_id)
    if row.state != ApplicationState.DRAFT:
        raise ApplicationNotEditable
    if row.version != version:
        raise ApplicationChanged(version=row.version)
    content = _complete(row, at)
    applicant = organisation(row.organisation_id)
    home = organisation(content.partner_id).area if applicant.kind in CENTRES else applicant.area
    parties = {Role.PARTNER.value: content.partner_id} if content.partner_id != row.organisation_id else None
    opened = open_case(
        actor=actor,
        at=at,
        process=PROCESS,
        subject_type=SUBJECT_TYPE,
        subject_id=str(row.pk),
        title=content.name_zh,
        area=content.area if area_covers(home, content.area) else home,
        organisation_id=row.organisation_id,
        parties=parties,
    )
    row.state, row.case_id = ApplicationState.APPLIED, opened.case_id
    row.save(update_fields=["state", "case_id"])
    return ApplicationSubmitted(application_id=row.pk, case_id=opened.case_id, number=opened.number)


@operation(roles=set(), subject=SUBJECT)
def return_application(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ApplicationSettled:
    """Effect of `return`: the applicant can edit it again."""
    return _settle(case_id, subject_id, "return", ApplicationState.RETURNED)


@operation(roles=set(), subject=SUBJECT)
def revise_application(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ApplicationSettled:
    """Effect of `revise`: docking showed the applicant that the application itself must change."""
    return _settle(case_id, subject_id, "revise", ApplicationState.RETURNED)


@operation(roles=set(), subject=SUBJECT)
def resubmit_application(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ApplicationSettled:
    """Effect of `resubmit`: a complete application is with the centre again. Raises as `submit_application`."""
    row = _decided(case_id, subject_id, "resubmit")
    _complete(row, at)
    return _put(row, ApplicationState.APPLIED)


@operation(roles=set(), subject=SUBJECT)
def reject_application(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ApplicationSettled:
    """Effect of `reject`: the end, without a scenario."""
    return _settle(case_id, subject_id, "reject", ApplicationState.REJECTED)


@operation(roles=set(), subject=SUBJECT)
def withdraw_application(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ApplicationSettled:
    """Effect of `withdraw`: the applicant takes it back."""
    return _settle(case_id, subject_id, "withdraw", ApplicationState.WITHDRAWN)


@operation(roles=set(), subject=SUBJECT)
def go_live(*, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str) -> ApplicationSettled:
    """Effect of `go_live`: the scenario and the partner's feed open with the decision, or neither.

    A scenario that stands already keeps its name, class and area; the partner's feed is added to it.
    """
    row = _decided(case_id, subject_id, "go_live")
    content = _content(row)
    scenario = open_scenario(
        actor=SYSTEM,
        at=at,
        code=content.code,
        name_zh=content.name_zh,
        name_en=content.name_en,
        area=content.area,
        scenario_class=content.scenario_class,
        reach=content.reach,
    )
    feed = open_feed(
        actor=SYSTEM,
        at=at,
        partner_id=content.partner_id,
        scenario=content.code,
        adapter=feed_adapter(content.adapter, content.code),
        evidence_tier=content.evidence_tier,
        default_area=content.default_area,
        mapping=content.mapping,
        mapping_source=MappingSource(
            application_id=row.pk, application_version=row.version, sample_id=sample_in_force(row.pk).id
        )
        if content.mapping
        else None,
    )
    row.scenario_id, row.feed_id = scenario.scenario_id, feed.feed_id
    row.save(update_fields=["scenario_id", "feed_id"])
    return _put(row, ApplicationState.LIVE)


def _content(row: ScenarioApplication) -> ScenarioContent:
    saved = ScenarioApplicationVersion.objects.get(application_id=row.pk, version=row.version)
    return content_of(saved.content)


def _complete(row: ScenarioApplication, at: datetime) -> ScenarioContent:
    """Return the content, if nothing is missing, the scenario is not closed, and nobody else is on the way to this feed.

    Raises ApplicationIncomplete, FeedStands, ApplicationRuns, ScenarioIsClosed.
    """
    content = _content(row)
    lacking = application_lacks(content, at=at)
    if lacking:
        raise ApplicationIncomplete(lacking=lacking)
    lock_names(f"activity:feed:{content.partner_id}:{content.code}:{content.adapter}")
    if Feed.objects.filter(
        partner_id=content.partner_id,
        scenario__code=content.code,
        adapter=feed_adapter(content.adapter, content.code),
    ).exists():
        raise FeedStands(scenario=content.code, adapter=content.adapter)
    scenario = Scenario.objects.filter(code=content.code).first()
    if scenario is not None and standing_now(scenario.pk, business_day(at)) is Standing.CLOSED:
        raise ScenarioIsClosed(scenario=scenario.name_zh)
    others = ScenarioApplication.objects.filter(code=content.code, state__in=UNDER_WAY).exclude(pk=row.pk)
    for other in others:
        said = _content(other)
        if (said.partner_id, said.adapter) == (content.partner_id, content.adapter):
            raise ApplicationRuns(application_id=other.pk)
    return content


@operation(roles=set(), subject=SUBJECT)
def restore_application(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ApplicationSettled:
    """Undo of `reject` when that decision is rescinded: the application is where its case went back to."""
    row = _decided(case_id, subject_id, workflow.RESCIND)
    back = ApplicationState.RETURNED if workflow.case(case_id).clock_stopped else ApplicationState.APPLIED
    return _put(row, back)


def _settle(case_id: int, subject_id: str, outcome: str, state: ApplicationState) -> ApplicationSettled:
    return _put(_decided(case_id, subject_id, outcome), state)


def _put(row: ScenarioApplication, state: ApplicationState) -> ApplicationSettled:
    row.state = state
    row.save(update_fields=["state"])
    return ApplicationSettled(
        application_id=row.pk, state=state.value, scenario_id=row.scenario_id, feed_id=row.feed_id
    )


def _decided(case_id: int, subject_id: str, outcome: str) -> ScenarioApplication:
    """Return the application, locked, if its case's latest decision is this outcome on it. Raises ScenarioNotDecided."""
    row = locked_application(int(subject_id))
    if row.case_id != case_id or workflow.latest_outcome(case_id) != outcome:
        raise ScenarioNotDecided(case_id=case_id, outcome=outcome)
    return row
