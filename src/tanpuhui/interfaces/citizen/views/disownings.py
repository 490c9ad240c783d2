"""Say that a record is not one's own (否认记录): on the phone, from the record's own page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import disown_record
from tanpuhui.behaviour.carbon_accounts.queries import DisowningState
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.citizen.navigation import account_needed, acting, page, said
from tanpuhui.interfaces.citizen.views.appeals import WITHDRAW, about, disowning_words, own_disowning, steps


@require_http_methods(["GET", "HEAD", "POST"])
@account_needed
def disown(request: HttpRequest, posting: int, row: int) -> HttpResponse:
    """Say that a record on one's own account is not one's own; anybody else's is not found."""
    actor, user_id = acting(request)
    account_id = accounts.account_of_user(user_id).ledger_account_id
    record = activity.record(posting_id=posting, account_id=account_id, row=row)
    refused: Refusal | None = None
    if request.method == "POST":
        try:
            done = disown_record(
                actor=actor,
                at=timezone.now(),
                user_id=user_id,
                posting_id=posting,
                row=row,
                statement=request.POST.get("statement", ""),
                idempotency_key=request.POST["idempotency_key"],
            )
        except Refusal as refusal:
            refused = refusal
        else:
            words = gettext("已提交，办件号 %(number)s。有了结果会发消息给你。") % {
                "number": done.case_number
            }
            return said(request, words, "citizen:disowning", done.disowning_id)
    context = {**about(record, ""), "refused": refused, "statement": request.POST.get("statement", "")}
    return page(
        request,
        "citizen/disown.html",
        context,
        section="home",
        title=gettext("这不是我的"),
        back=reverse("citizen:record", args=(posting, row)),
        status=status_of(refused.code) if refused else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def disowning(request: HttpRequest, disowning: int) -> HttpResponse:
    """Show one of the person's disownings; a POST takes it back."""
    actor, user_id = acting(request)
    view = own_disowning(disowning, user_id)
    if request.method == "POST":
        decide(
            actor=actor,
            at=timezone.now(),
            idempotency_key=request.POST["idempotency_key"],
            case_id=view.case_id,
            outcome=WITHDRAW,
            opinion=gettext("本人撤回"),
        )
        return said(request, gettext("已撤回。"), "citizen:disowning", view.id)
    record = activity.record(posting_id=view.posting_id, account_id=view.ledger_account_id, row=view.row)
    context = {
        **about(record, ""),
        "view": view,
        "number": workflow.case(view.case_id).number,
        "open": view.state is DisowningState.LODGED,
        "state": disowning_words(view.state),
        "steps": steps(view.case_id),
        "verb": gettext("撤回"),
    }
    back = reverse("citizen:appeals")
    return page(request, "citizen/appeal.html", context, section="me", title=gettext("这不是我的"), back=back)
