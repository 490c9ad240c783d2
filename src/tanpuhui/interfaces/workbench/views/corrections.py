"""Corrections of a batch (数据更正): asking the partner for one, and what a page says of those that were asked for."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import request_correction
from tanpuhui.behaviour.activity.queries import BatchReport, rows_to_mend
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.interfaces.design.parts import Fact
from tanpuhui.interfaces.workbench.acting import key_of, see_other, who
from tanpuhui.interfaces.workbench.parts import digits
from tanpuhui.interfaces.workbench.sight import batch_in_sight
from tanpuhui.interfaces.workbench.words import worded

SUBJECT = "batch"


@require_POST
def ask(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Ask the partner to correct a batch, and lead to the case in which they answer."""
    actor = who(request)
    view = batch_in_sight(actor, batch_id)

    asked = request_correction(
        actor=actor, at=timezone.now(), idempotency_key=key_of(request), batch_id=view.id
    )
    messages.success(request, gettext("已立案，等数据伙伴答复。"))
    return see_other("workbench:case", asked.case_id)


def correction_facts(found: BatchReport, open_rows: int) -> list[Fact]:
    """Return how many rows the partner can mend, how many of them are still open, the files sent for it, the cases."""
    to_mend = rows_to_mend(found.reasons)
    cases = workflow.cases_of(SUBJECT, str(found.batch.id))
    if not to_mend and not cases:
        return []
    facts = [Fact(gettext("可以由数据伙伴更正"), gettext("%(n)s 行") % {"n": digits(to_mend)})]
    sent = activity.corrections_of(found.batch.id)
    if sent:
        facts.append(Fact(gettext("还没有更正"), gettext("%(n)s 行") % {"n": digits(open_rows)}))
    facts.extend(
        Fact(gettext("更正文件"), f"#{batch_id}", url=reverse("workbench:batch", args=[batch_id]))
        for batch_id in sent
    )
    facts.extend(
        Fact(
            gettext("数据更正"),
            f"{view.number} {worded(view.state_zh, view.state_en)}",
            url=reverse("workbench:case", args=[view.case_id]),
        )
        for view in cases
    )
    return facts


def may_ask(actor: Actor, found: BatchReport) -> bool:
    """Say whether the actor can ask for a correction of the batch now: there is something to mend, and no open case."""
    if not rows_to_mend(found.reasons) and not found.fault:
        return False
    if not actor.has(Role.MAKER, area=organisation(found.batch.partner_id).area):
        return False
    return all(view.closed_at for view in workflow.cases_of(SUBJECT, str(found.batch.id)))
