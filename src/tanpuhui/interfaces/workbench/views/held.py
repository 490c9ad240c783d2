"""Records that wait for a review because they are not plausible (待复核记录): the sets, their rows, and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import HeldReviewed, decide_held
from tanpuhui.behaviour.activity.queries import HeldRow, HeldSet
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted, Refusal
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, at_moment, digits
from tanpuhui.interfaces.workbench.sight import partners_in_sight
from tanpuhui.interfaces.workbench.views.disclosures import held_set_opened
from tanpuhui.interfaces.workbench.words import locale, worded

ROWS_SHOWN = 200
RELEASE, REFUSE = "release", "refuse"


class ReviewForm(forms.Form):
    """What is decided of a set, which rows are refused although the others go on, and why."""

    decision = forms.ChoiceField(label=gettext_lazy("决定"), widget=forms.RadioSelect)
    rows = forms.CharField(
        label=gettext_lazy("其中不计入的行号"), required=False, max_length=2_000,
        help_text=gettext_lazy("选“计入”时可填：这几行不计入，其余计入。行号用空格或逗号隔开。"),
    )  # fmt: skip
    opinion = forms.CharField(
        label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea,
        help_text=gettext_lazy("写明核对了什么。决定不能改；本人有异议可以申诉。"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "decision", [(RELEASE, gettext("计入")), (REFUSE, gettext("全部不计入"))])

    def clean_rows(self) -> tuple[int, ...]:
        """Return the row numbers."""
        words = self.cleaned_data["rows"].replace(",", " ").replace("，", " ").replace("、", " ").split()
        if not all(word.isdecimal() and len(word) < 12 for word in words):
            raise forms.ValidationError(gettext("行号是整数，用空格或逗号隔开。"))
        return tuple(int(word) for word in words)


@require_safe
def held(request: HttpRequest) -> HttpResponse:
    """List the sets that nobody has decided, of partners in the actor's sight."""
    actor = who(request)
    partners = {view.id: worded(view.name, view.name_en) for view in partners_in_sight(actor)}
    names = _scenario_names()
    section = Section(
        columns=(
            Column(gettext("为什么")),
            Column(gettext("数据伙伴"), "soft"),
            Column(gettext("场景")),
            Column(gettext("行为日"), "soft"),
            Column(gettext("行数"), "num"),
            Column(gettext("收到"), "soft"),
        ),
        rows=[
            Row(
                (
                    doubt_name(one.reason),
                    partners[one.partner_id],
                    names.get(one.scenario, one.scenario),
                    one.day.isoformat(),
                    digits(one.records),
                    at_moment(one.received_at),
                ),
                url=reverse("workbench:held-set", args=[one.id]),
            )
            for one in activity.held_sets()
            if one.partner_id in partners
        ],
        empty=gettext("没有要复核的记录。"),
        empty_next=gettext("超过规则限值的记录会先停在这里，由经办岗决定是否计入。"),
    )
    context = {
        "title": gettext("待复核记录"),
        "lead": gettext(
            "数值不寻常的记录，先不入账。核对以后，计入的照常核算，不计入的留下理由，本人看得到。"
        ),
        "sections": [section],
    }
    return page(
        request, "workbench/sheet.html", context, section="held", crumbs=(Crumb(gettext("待复核记录")),)
    )


@require_http_methods(["GET", "HEAD", "POST"])
def held_set(request: HttpRequest, waiting_id: int) -> HttpResponse:
    """Show a set and its rows; a POST decides about it."""
    actor = who(request)
    view = _in_sight(actor, waiting_id)
    if request.method != "POST":
        held_set_opened(actor, view.id)
        return _show(request, view, ReviewForm(initial={"decision": RELEASE}))
    form = ReviewForm(request.POST)

    def perform(given: Mapping[str, Any]) -> HeldReviewed:
        return decide_held(
            actor=actor,
            at=timezone.now(),
            waiting_ids=(view.id,),
            refuse_all=given["decision"] == REFUSE,
            refused_rows=given["rows"],
            opinion=given["opinion"],
            idempotency_key=key_of(request),
        )

    if not _may_decide(actor, view):
        raise NotPermitted(operation="activity.decide_held")
    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _show(request, view, form, refused=attempt.refused, status=attempt.status)
    messages.success(
        request,
        gettext("已决定：%(released)s 行计入，%(refused)s 行不计入，几秒后入账。")
        % {"released": digits(attempt.done.released), "refused": digits(attempt.done.refused)},
    )
    return see_other("workbench:held")


def doubt_name(reason: str) -> str:
    """Return in a few words what is not plausible."""
    words = {
        "IMPLAUSIBLE_PLACE": gettext("短时间里到了另一座城市"),
        "IMPLAUSIBLE_SPEED": gettext("太快"),
        "IMPLAUSIBLE_DISTANCE": gettext("太远"),
        "IMPLAUSIBLE_FREQUENCY": gettext("一天里太多"),
    }
    return words.get(reason, reason)


def _in_sight(actor: Actor, waiting_id: int) -> HeldSet:
    view = activity.held_set(waiting_id)
    if view.partner_id not in {one.id for one in partners_in_sight(actor)}:
        raise NotFound(what="待复核记录 held records", id=waiting_id)
    return view


def _may_decide(actor: Actor, view: HeldSet) -> bool:
    return actor.has(Role.MAKER, area=organisation(view.partner_id).area)


def _scenario_names() -> dict[str, str]:
    return {view.code: worded(view.name_zh, view.name_en) for view in activity.scenarios()}


def _show(
    request: HttpRequest,
    view: HeldSet,
    form: ReviewForm,
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    partner = organisation(view.partner_id)
    rows = activity.held_rows(view.id, limit=ROWS_SHOWN)
    context = {
        "title": doubt_name(view.reason),
        "lead": view.text(locale()),
        "facts": [
            Fact(gettext("数据伙伴"), worded(partner.name, partner.name_en)),
            Fact(gettext("文件"), view.file_name),
            Fact(gettext("场景"), _scenario_names().get(view.scenario, view.scenario)),
            Fact(gettext("行为日"), view.day.isoformat()),
            Fact(gettext("行数"), digits(view.records)),
        ],
        "columns": _columns(),
        "rows": [_row(one) for one in rows],
        "rest": view.records - len(rows),
        "form": form if _may_decide(who(request), view) else None,
        "refused": refused,
    }
    crumbs = (Crumb(gettext("待复核记录"), reverse("workbench:held")), Crumb(doubt_name(view.reason)))
    return page(request, "workbench/held.html", context, section="held", crumbs=crumbs, status=status)


def _columns() -> tuple[Column, ...]:
    return (
        Column(gettext("行号"), "num"),
        Column(gettext("值与限值"), "mono"),
        Column(gettext("开始"), "soft"),
        Column(gettext("结束"), "soft"),
        Column(gettext("区划"), "mono"),
        Column(gettext("距离 km"), "num"),
    )


def _row(one: HeldRow) -> Row:
    ended = f"{one.ended_at:%H:%M:%S}" if one.ended_at and one.ended_at != one.started_at else ""
    return Row(
        (digits(one.row), one.doubt, f"{one.started_at:%m-%d %H:%M:%S}", ended, one.area, one.distance)
    )
