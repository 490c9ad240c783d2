"""Recalculations (重算): what each changes, a new one to preview, and proposing it to the checker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import (
    RecalculationPrepared,
    RecalculationProposed,
    prepare_recalculation,
    propose_recalculation,
)
from tanpuhui.behaviour.activity.queries import RecalculationView
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, digits, on_day, state_mark
from tanpuhui.interfaces.workbench.recalculation_sheet import (
    months_of,
    scenario_name,
    sheet,
    signed,
    state_of,
    version_name,
)
from tanpuhui.interfaces.workbench.sight import check_scenario, scenarios_in_sight
from tanpuhui.interfaces.workbench.words import methodology_state
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import VersionView


class RecalculationForm(forms.Form):
    """From which version to which, over which months, and why. The versions say which scenario it is."""

    from_version_id = forms.TypedChoiceField(
        label=gettext_lazy("旧版本"), coerce=int,
        help_text=gettext_lazy("记录现在所按的版本。重算过的记录，以最近一次重算的版本为准。"),
    )  # fmt: skip
    to_version_id = forms.TypedChoiceField(
        label=gettext_lazy("新版本"), coerce=int,
        help_text=gettext_lazy("同一场景的版本。还没有备案的可以试算，备案以后才能提出重算。"),
    )  # fmt: skip
    first_month = forms.CharField(
        label=gettext_lazy("从哪个月"), max_length=7, widget=forms.TextInput(attrs={"type": "month"})
    )
    last_month = forms.CharField(
        label=gettext_lazy("到哪个月"), max_length=7, widget=forms.TextInput(attrs={"type": "month"}),
        help_text=gettext_lazy("两个月都包括在内，写作 2026-11。"),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("重算原因"), max_length=500, widget=forms.Textarea,
        help_text=gettext_lazy("例如公布了新的电网因子。会原样写在办件里。"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        runnable = [view for view in methodology.library() if not view.blocked_by]
        self._offer("from_version_id", [view for view in runnable if view.filed_at is not None])
        self._offer("to_version_id", [view for view in runnable if view.state != "rejected"])

    def _offer(self, name: str, versions: list[VersionView]) -> None:
        """Offer versions under the name of their scenario."""
        field = self.fields[name]
        if not isinstance(field, forms.ChoiceField):
            message = f"{name} is no choice"
            raise TypeError(message)
        by_scenario: dict[str, list[tuple[str, str]]] = {}
        for view in versions:
            state = "" if view.filed_at is not None else f" · {methodology_state(view.state)[1]}"
            by_scenario.setdefault(view.scenario, []).append((str(view.id), version_name(view) + state))
        field.choices = [(scenario_name(code), found) for code, found in sorted(by_scenario.items())]


class ProposalForm(forms.Form):
    """The maker's opinion; it stands in the case as it is written."""

    opinion = forms.CharField(
        label=gettext_lazy("经办意见"), widget=forms.Textarea,
        help_text=gettext_lazy("写明核对了什么。复核由另一个人完成。"),
    )  # fmt: skip


@require_safe
def recalculations(request: HttpRequest) -> HttpResponse:
    """List the recalculations, the latest first."""
    seen = {view.code for view in scenarios_in_sight(who(request))}
    section = Section(
        columns=(
            Column(gettext("号"), "mono"),
            Column(gettext("场景")),
            Column(gettext("差额 g"), "num"),
            Column(gettext("状态")),
            Column(gettext("月份"), "soft"),
            Column(gettext("新版本"), "soft"),
            Column(gettext("记录数"), "num"),
            Column(gettext("试算"), "soft"),
        ),
        rows=[_line(view) for view in activity.recalculations() if view.scenario in seen],
        empty=gettext("还没有重算。"),
        empty_next=gettext("因子或方法学修订以后，可以先试算影响，再提出重算。"),
    )
    ways = []
    if Role.MAKER in who(request).roles:
        ways = [Way(label=gettext("试算一次重算"), url=reverse("workbench:recalculation-new"), kind="main")]
    context = {
        "title": gettext("重算"),
        "lead": gettext(
            "方法学或因子修订后，按新版本重算已入账的记录。入过的账不改，差额另记一笔；先试算，经办提出，另一人复核。"
        ),
        "ways": ways,
        "sections": [section],
    }
    crumbs = (Crumb(gettext("重算")),)
    return page(request, "workbench/sheet.html", context, section="recalculations", crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def prepare(request: HttpRequest) -> HttpResponse:
    """Take what is to be recalculated; the preview is worked out in the background."""
    actor = who(request)
    if request.method != "POST":
        return _form_page(request, RecalculationForm(initial={"last_month": f"{timezone.localdate():%Y-%m}"}))
    form = RecalculationForm(request.POST)

    def perform(given: Mapping[str, Any]) -> RecalculationPrepared:
        return prepare_recalculation(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            scenario=methodology.version(given["from_version_id"]).scenario,
            from_version_id=given["from_version_id"],
            to_version_id=given["to_version_id"],
            first_month=given["first_month"].strip(),
            last_month=given["last_month"].strip(),
            reason=given["reason"],
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _form_page(request, form, refused=attempt.refused, status=attempt.status)
    return see_other("workbench:recalculation", attempt.done.recalculation_id)


@require_http_methods(["GET", "HEAD", "POST"])
def recalculation(request: HttpRequest, recalculation_id: int) -> HttpResponse:
    """Show a recalculation; a POST proposes it. While the worker is at it, the page asks again by itself."""
    actor = who(request)
    view = activity.recalculation(recalculation_id)
    check_scenario(actor, view.scenario, what="重算 recalculation", id=recalculation_id)
    if request.method != "POST":
        return _show(request, view, ProposalForm())
    form = ProposalForm(request.POST)

    def perform(given: Mapping[str, Any]) -> RecalculationProposed:
        return propose_recalculation(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            recalculation_id=recalculation_id,
            opinion=given["opinion"],
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _show(request, view, form, refused=attempt.refused, status=attempt.status)
    said = gettext("已提出重算，办件 %(number)s，等待复核。") % {"number": attempt.done.number}
    messages.success(request, said)
    return see_other("workbench:case", attempt.done.case_id)


@require_safe
def progress(request: HttpRequest, recalculation_id: int) -> HttpResponse:
    """Return the part of the page that changes while the worker is at it; when it is done, the page is loaded anew."""
    view = activity.recalculation(recalculation_id)
    check_scenario(who(request), view.scenario, what="重算 recalculation", id=recalculation_id)
    found = sheet(view)
    response = render(request, "workbench/parts/recalculation.html", {"recalculation": found})
    if not found["waiting"]:
        response["HX-Refresh"] = "true"
    return response


def _line(view: RecalculationView) -> Row:
    version = methodology.version(view.to_version_id)
    change = ""
    if view.totals:
        change = signed(view.totals["grams"])
    elif view.preview and view.state != "prepared":
        change = signed(view.preview["grams"] - view.preview["old_grams"])
    cells = (
        str(view.id),
        scenario_name(view.scenario),
        change,
        state_mark(state_of(view)),
        months_of(view),
        f"{version.code} {version.version}",
        digits(view.preview["records"]) if change else "",
        on_day(view.prepared_at),
    )
    return Row(cells, url=reverse("workbench:recalculation", args=[view.id]))


def _form_page(
    request: HttpRequest, form: forms.Form, *, refused: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "title": gettext("试算一次重算"),
        "lead": gettext("试算只算不记账。试算完成后可以看到按城市、按月和对每个人的影响，再决定是否提出。"),
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("开始试算")},
        "back": reverse("workbench:recalculations"),
    }
    crumbs = (Crumb(gettext("重算"), reverse("workbench:recalculations")), Crumb(gettext("试算一次重算")))
    return page(
        request, "workbench/form.html", context, section="recalculations", crumbs=crumbs, status=status
    )


def _show(
    request: HttpRequest,
    view: RecalculationView,
    form: forms.Form,
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    may_propose = view.state == "previewed" and Role.MAKER in who(request).roles
    context: dict[str, Any] = {
        "title": gettext("第 %(n)s 号重算") % {"n": view.id},
        "recalculation": sheet(view),
        "form": form if may_propose else None,
        "refused": refused,
    }
    crumbs = (
        Crumb(gettext("重算"), reverse("workbench:recalculations")),
        Crumb(gettext("第 %(n)s 号重算") % {"n": view.id}),
    )
    return page(
        request,
        "workbench/recalculation.html",
        context,
        section="recalculations",
        crumbs=crumbs,
        status=status,
    )
