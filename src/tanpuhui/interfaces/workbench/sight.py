"""What an actor may see (可见范围): their area, or the matters of their organisation. What is out of sight is missing."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from tanpuhui.behaviour.activity.operations import APPLICANTS
from tanpuhui.behaviour.activity.queries import (
    ApplicationView,
    BatchView,
    ScenarioView,
    application,
    applications,
    batch,
    scenario,
    scenarios,
)
from tanpuhui.credits.projects.queries import ProjectView, project
from tanpuhui.credits.registry.queries import HolderView, holders
from tanpuhui.foundation.identity.operations import DelegationOver
from tanpuhui.foundation.identity.queries import (
    OrganisationView,
    delegation_over,
    organisation,
    organisations,
)
from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS, Actor, Role, area_covers
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.queries import CaseView, Scope
from tanpuhui.interfaces.workbench.routes import CENTRE, HOLDERS
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.operations import DRAFTERS
from tanpuhui.science.methodology.queries import DraftView, PanelView, SeatView
from tanpuhui.uses.rewards.operations import WrongMerchant
from tanpuhui.uses.rewards.queries import CouponView, coupon

PARTIES = (*HOLDERS, Role.VERIFIER, Role.PARTNER, Role.MERCHANT)
FILING = "methodology_filing"
ADMISSION = "scenario_admission"


def draft_in_sight(actor: Actor, draft_id: int) -> DraftView:
    """Return a draft of one of the organisations for which the actor writes. Raises NotFound."""
    found = methodology.draft(draft_id)
    if found.organisation_id not in actor.organisation_ids(*DRAFTERS):
        raise NotFound(what="草稿 / draft", id=draft_id)
    return found


def areas_of(actor: Actor) -> tuple[str, ...]:
    """Return the areas that the actor runs or watches."""
    return tuple(sorted({grant.area for grant in actor.grants if grant.role in CENTRE}))


def runs(actor: Actor, area: str) -> bool:
    """Say whether the actor runs or watches an area."""
    return actor.has(*CENTRE, area=area)


def may_see_case(actor: Actor, case: CaseView) -> bool:
    """Say whether a case lies in the actor's area, is a filing before their committee, or names their organisation."""
    if runs(actor, case.area):
        return True
    if case.process in {FILING, ADMISSION} and any(
        grant.role == Role.EXPERT and area_covers(grant.area, case.area) for grant in actor.grants
    ):
        return True
    named = {case.organisation_id, *case.parties.values()} - {None}
    return bool(named & set(actor.organisation_ids(*PARTIES)))


def applies(actor: Actor, case: CaseView) -> bool:
    """Say whether the actor acts for the applicant of a filing; the centre does for its own and for an expert body's."""
    if case.organisation_id is not None and case.organisation_id in actor.organisation_ids(*DRAFTERS):
        return True
    own = case.organisation_id is None or organisation(case.organisation_id).kind == "expert_body"
    return own and actor.has(Role.MAKER, Role.SUBCENTRE, area=case.area)


def review_in_sight(actor: Actor, panel_id: int) -> tuple[PanelView, SeatView]:
    """Return a panel to which the expert was called, with their seat. Raises NotFound."""
    found = methodology.panel(panel_id)
    number = methodology.expert_of(actor)
    seat = next((seat for seat in found.seats if seat.expert_number == number), None)
    if seat is None:
        raise NotFound(what="评审 / review", id=panel_id)
    return found, seat


def case_in_sight(actor: Actor, case_id: int) -> CaseView:
    """Return a case that the actor may see. Raises NotFound."""
    found = workflow.case(case_id)
    if not may_see_case(actor, found):
        raise _delegation_over(actor, found) or NotFound(what="案件 / case", id=case_id)
    return found


def _delegation_over(actor: Actor, case: CaseView) -> DelegationOver | None:
    """Say that the case was in sight through a delegation that has ended."""
    at = timezone.now()
    named = {case.organisation_id, *case.parties.values()} - {None}
    return delegation_over(actor=actor, roles=CENTRE, area=case.area, at=at) or delegation_over(
        actor=actor,
        roles=PARTIES,
        area=case.area,
        at=at,
        organisation_ids=[one for one in named if one is not None],
    )


def scope_of(actor: Actor) -> Scope:
    """Return whose cases the actor may see, as `may_see_case` says it, for lists, counts, search and exports."""
    committees = sorted({grant.area for grant in actor.grants if grant.role == Role.EXPERT})
    return Scope(
        areas=areas_of(actor),
        organisation_ids=actor.organisation_ids(*PARTIES),
        process_areas=tuple((FILING, area) for area in committees),
    )


def batch_in_sight(actor: Actor, batch_id: int) -> BatchView:
    """Return a batch of a partner that the actor may see. Raises NotFound, BatchNotFound."""
    found = batch(batch_id)
    if found.partner_id not in {view.id for view in partners_in_sight(actor)}:
        raise NotFound(what="批次 batch", id=batch_id)
    return found


def organisation_in_sight(actor: Actor, organisation_id: int) -> OrganisationView:
    """Return an organisation that the actor administers, runs or watches. Raises NotFound."""
    found = organisation(organisation_id)
    if not _may_see_organisation(actor, found):
        raise NotFound(what="机构 organisation", id=organisation_id)
    return found


def organisations_in_sight(actor: Actor) -> tuple[OrganisationView, ...]:
    """Return the organisations that the actor administers, runs or watches, oldest first."""
    return tuple(view for view in organisations() if _may_see_organisation(actor, view))


def _may_see_organisation(actor: Actor, view: OrganisationView) -> bool:
    return actor.has(Role.ADMINISTRATOR, organisation_id=view.id) or actor.has(
        *CENTRE, *SCHEME_ADMINISTRATORS, area=view.area
    )


def watches_all(actor: Actor) -> bool:
    """Say whether the actor reads the audit record: it holds what was done everywhere, so only who watches the province."""
    return actor.has(Role.REGULATOR, Role.CHECKER, Role.AUDIT_ADMINISTRATOR, area=jurisdiction().area)


def scenarios_in_sight(actor: Actor, *, on: date | None = None) -> tuple[ScenarioView, ...]:
    """Return the scenarios that run where the actor works: those of the province, and those of their own areas."""
    return tuple(view for view in scenarios(on=on) if works_in(actor, view.area))


def scenario_in_sight(actor: Actor, code: str, *, on: date | None = None) -> ScenarioView:
    """Return a scenario that runs where the actor works. Raises NotFound."""
    found = scenario(code, on=on)
    if not works_in(actor, found.area):
        raise NotFound(what="场景 scenario", id=code)
    return found


def check_scenario(actor: Actor, code: str, *, what: str, id: object) -> None:  # noqa: A002  named in the refusal
    """Refuse what belongs to a scenario that runs elsewhere. Raises NotFound, which names the thing itself."""
    if code not in {view.code for view in scenarios_in_sight(actor)}:
        raise NotFound(what=what, id=id)


def works_in(actor: Actor, area: str) -> bool:
    """Say whether an area and one of the actor's lie in each other."""
    return any(area_covers(grant.area, area) or area_covers(area, grant.area) for grant in actor.grants)


def partners_in_sight(actor: Actor) -> tuple[OrganisationView, ...]:
    """Return the data partners that the actor works for, or whose area the actor runs."""
    return tuple(view for view in organisations(kind="partner") if _own_or_run(actor, view, Role.PARTNER))


def merchants_in_sight(actor: Actor) -> tuple[OrganisationView, ...]:
    """Return the merchants that the actor works for, or whose area the actor runs."""
    return tuple(view for view in organisations(kind="merchant") if _own_or_run(actor, view, Role.MERCHANT))


def holders_in_sight(actor: Actor) -> tuple[HolderView, ...]:
    """Return the holding accounts that the actor may read."""
    areas = {view.id: view for view in organisations()}
    return tuple(view for view in holders() if _own_or_run(actor, areas[view.organisation_id], *HOLDERS))


def _own_or_run(actor: Actor, view: OrganisationView, *roles: Role) -> bool:
    return actor.has(*roles, organisation_id=view.id) or runs(actor, view.area)


def project_in_sight(actor: Actor, project_id: int) -> ProjectView:
    """Return a project of the actor's organisation or area. Raises NotFound."""
    found = project(project_id=project_id)
    if not may_see_project(actor, found):
        raise NotFound(what="项目 project", id=project_id)
    return found


def may_see_project(actor: Actor, view: ProjectView) -> bool:
    """Say whether a project belongs to the actor's organisation or lies in their area."""
    return actor.has(Role.OWNER, organisation_id=view.owner_id) or runs(actor, view.area)


def check_holding(actor: Actor, organisation_id: int, *, acting: bool = False) -> None:
    """Refuse another organisation's holding; who runs the scheme may read it, not act for it. Raises NotFound."""
    if actor.has(*HOLDERS, organisation_id=organisation_id):
        return
    if acting or not runs(actor, organisation(organisation_id).area):
        raise NotFound(what="持有账户 holding", id=organisation_id)


def coupon_in_sight(actor: Actor, code: str) -> CouponView:
    """Return a coupon of the actor's shop. Raises CouponCodeMistyped, NotFound, WrongMerchant."""
    found = coupon(code)
    if not actor.has(Role.MERCHANT, organisation_id=found.good.merchant_id):
        raise WrongMerchant(merchant=found.good.merchant_zh, merchant_en=found.good.merchant_en)
    return found


def application_in_sight(actor: Actor, application_id: int) -> ApplicationView:
    """Return an application that the actor may see. Raises NotFound."""
    found = application(application_id)
    if not may_see_application(actor, found):
        raise NotFound(what="场景申请 / scenario application", id=application_id)
    return found


def applications_in_sight(actor: Actor) -> tuple[ApplicationView, ...]:
    """Return the applications that the actor may see, newest first."""
    return tuple(view for view in applications() if may_see_application(actor, view))


def may_see_application(actor: Actor, view: ApplicationView) -> bool:
    """Say whether an application is the actor's own organisation's, or has left it and names or concerns them.

    A draft is its applicant's affair. After that the partner that it names, who runs or watches the area, and the
    committee of the area see it.
    """
    if actor.has(*APPLICANTS, organisation_id=view.organisation_id):
        return True
    if view.case_id is None:
        return False
    area = organisation(view.organisation_id).area
    return (
        actor.has(Role.PARTNER, organisation_id=view.content.partner_id)
        or runs(actor, area)
        or actor.has(Role.EXPERT, area=area)
    )
