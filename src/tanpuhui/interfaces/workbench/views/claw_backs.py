"""Claw-back on the desk (记录冲回): name the records and say why; the case shows what it comes to and which lines were left."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import ClawBackProposed, propose_claw_back
from tanpuhui.behaviour.activity.queries import ScenarioView
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Crumb, Fact
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import digits
from tanpuhui.interfaces.workbench.sight import partners_in_sight, scenario_in_sight
from tanpuhui.interfaces.workbench.words import locale, worded

LINES_SHOWN = 100
LINES_CHARACTERS_MAX = 2_000_000


class ClawBackForm(forms.Form):
    """Whose records, which of them, and why."""

    partner = forms.ChoiceField(label=gettext_lazy("数据伙伴"))
    lines = forms.CharField(
        label=gettext_lazy("要冲回的记录"), required=False, max_length=LINES_CHARACTERS_MAX,
        widget=forms.Textarea(attrs={"placeholder": "2026-11-18,R000123", "rows": 8}),
        help_text=gettext_lazy("一行一条：行为日,记录编号。可以从对账文件里复制。对不上的行会逐行写明原因，其余照办。"),
    )  # fmt: skip
    batch = forms.IntegerField(
        label=gettext_lazy("或者整个批次"), required=False, min_value=1,
        help_text=gettext_lazy("写批次号，冲回这个批次在本场景计入的全部记录。"),
    )  # fmt: skip
    ground = forms.CharField(
        label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea,
        help_text=gettext_lazy("写明查实了什么、依据是什么。这段话会发给本人，请不要写别人的信息。"),
    )  # fmt: skip

    def __init__(self, *args: Any, partners: dict[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "partner", [(str(key), words) for key, words in partners.items()])


@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, code: str) -> HttpResponse:
    """Propose that records of a scenario are taken back; another person decides it."""
    actor = who(request)
    view = scenario_in_sight(actor, code, on=timezone.localdate())
    senders = {feed.partner_id for feed in activity.feeds() if feed.scenario == code}
    partners = {
        one.id: worded(one.name, one.name_en) for one in partners_in_sight(actor) if one.id in senders
    }
    if request.method != "POST":
        return _form_page(request, view, ClawBackForm(partners=partners))
    form = ClawBackForm(request.POST, partners=partners)

    def perform(given: Any) -> ClawBackProposed:
        return propose_claw_back(
            actor=actor,
            at=timezone.now(),
            scenario=code,
            partner_id=int(given["partner"]),
            lines=given["lines"],
            batch_id=given["batch"],
            ground=given["ground"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _form_page(request, view, form, refused=attempt.refused, status=attempt.status)
    messages.success(
        request,
        gettext("已提出冲回 %(n)s 条，办件 %(number)s，等待另一人复核。")
        % {"n": digits(attempt.done.records), "number": attempt.done.number},
    )
    return see_other("workbench:case", attempt.done.case_id)


def claw_back_part(claw_back_id: int) -> dict[str, Any]:
    """Return what the case says of its claw-back: what it takes, or took, and the lines that named nothing."""
    view = activity.claw_back(claw_back_id)
    scenario = activity.scenario(view.scenario, on=timezone.localdate())
    sender = organisation(view.partner_id)
    due = [
        words
        for words in (
            f"{view.due_grams} g" if view.due_grams.value else "",
            f"{view.due_points} {figures.points_unit(view.due_points.value)}"
            if view.due_points.value
            else "",
        )
        if words
    ]
    left = view.left_text(locale())
    return {
        "facts": [
            Fact(gettext("场景"), worded(scenario.name_zh, scenario.name_en)),
            Fact(gettext("数据伙伴"), worded(sender.name, sender.name_en)),
            Fact(gettext("记录"), digits(view.records)),
            Fact(gettext("涉及人数"), digits(view.people)),
            Fact(gettext("冲回克数"), f"{digits(-view.grams.value)} g"),
            Fact(gettext("冲回积分"), digits(-view.points.value)),
            Fact(gettext("其中一时扣不回"), " · ".join(due) or gettext("没有")),
            Fact(gettext("理由"), view.ground),
        ],
        "left": left[:LINES_SHOWN],
        "more": max(0, len(left) - LINES_SHOWN),
    }


def _form_page(
    request: HttpRequest,
    view: ScenarioView,
    form: ClawBackForm,
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    name = worded(view.name_zh, view.name_en)
    context = {
        "title": gettext("冲回记录"),
        "lead": gettext(
            "已经入账、经核查不应计入的记录，用分录冲回，不删除。由一人提出、另一人复核；复核前先看到涉及多少人、多少克、多少积分。"
        ),
        "facts": [Fact(gettext("场景"), name)],
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("提出冲回")},
        "back": reverse("workbench:scenario", args=[view.code]),
    }
    crumbs = (
        Crumb(gettext("场景与数据"), reverse("workbench:scenarios")),
        Crumb(name, reverse("workbench:scenario", args=[view.code])),
        Crumb(gettext("冲回记录")),
    )
    return page(request, "workbench/form.html", context, section="scenarios", crumbs=crumbs, status=status)
