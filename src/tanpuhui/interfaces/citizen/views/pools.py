"""Where my grams are (我的减排在哪里): pool, report and units issued, and the file that proves it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.queries import ContributionView, PoolView
from tanpuhui.credits.projects import queries as projects
from tanpuhui.credits.projects.queries import ReportView
from tanpuhui.credits.registry import queries as registry
from tanpuhui.credits.registry.queries import IssuanceView
from tanpuhui.interfaces.citizen.navigation import account_needed, acting, page
from tanpuhui.interfaces.citizen.rows import scenario_names


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShown:
    """A person's grams in one pool, and how far that pool has come."""

    name: str
    own: ContributionView
    pool: PoolView
    report: ReportView | None
    issuance: IssuanceView | None


@require_safe
@account_needed
def pools(request: HttpRequest) -> HttpResponse:
    """Show each pool that holds grams of the person, what became of it, and its proof to download."""
    _, user_id = acting(request)
    own = accounts.contributions(user_id)
    found = {one.id: one for one in accounts.pools()} if own else {}
    reports = {one.pool_id: one for one in projects.reports()} if own else {}
    issued = {one.report_id: one for one in registry.issuances()} if own else {}
    names = scenario_names()
    shown = []
    for one in own:
        report = reports.get(one.pool_id)
        shown.append(
            PoolShown(
                name=names.get(one.scenario, one.scenario),
                own=one,
                pool=found[one.pool_id],
                report=report,
                issuance=issued.get(report.report_id) if report else None,
            )
        )
    return page(
        request,
        "citizen/pools.html",
        {"shown": shown},
        section="me",
        title=gettext("我的减排在哪里"),
        back=reverse("citizen:me"),
    )


@require_safe
@never_cache
@account_needed
def pool_proof(request: HttpRequest, pool: int) -> HttpResponse:
    """Send the inclusion file of the person's own grams in a pool."""
    _, user_id = acting(request)
    response = HttpResponse(
        accounts.pool_inclusion(user_id, pool_id=pool), content_type="application/json; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="pool-inclusion.json"'
    return response
