"""The rules in force (规则参数) and the table of holidays (节假日): what holds, by which text, and what nobody has set."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.rulebook.operations import HolidaySet, set_holiday
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, on_day
from tanpuhui.interfaces.workbench.words import confidence_words

YEARS_AROUND = 1


class HolidayForm(forms.Form):
    """One day that differs from its weekday, and the notice it rests on."""

    day = forms.DateField(
        label=gettext_lazy("日期"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    works = forms.ChoiceField(
        label=gettext_lazy("这一天"),
        choices=(("off", gettext_lazy("休息")), ("work", gettext_lazy("上班（调休）"))),
    )
    name_zh = forms.CharField(label=gettext_lazy("名称，例如 国庆节"), max_length=40)
    basis = forms.CharField(label=gettext_lazy("依据（通知的文号或名称）"), max_length=200)


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """List every rule parameter of today with its basis; what nobody has set comes first and says so."""
    wanted = request.GET.get("q", "").strip()
    found = [
        row
        for row in rulebook.parameters(at=timezone.now())
        if wanted.casefold() in f"{row.key} {row.scope} {row.basis} {row.note}".casefold()
    ]
    unset = [row for row in found if row.value is None]
    held = [row for row in found if row.value is not None]
    context: dict[str, Any] = {
        "title": gettext("规则参数"),
        "lead": gettext(
            "今天有效的规则和它们的依据。没有定值的，由人在案件中决定并写明理由；平台不代为猜测。"
        ),
        "search": {"value": wanted, "label": gettext("参数、依据或说明中的文字")},
        "sections": [
            _section(gettext("未设定"), unset, gettext("所有参数都有定值。")),
            _section(gettext("已设定"), held, gettext("没有符合的参数。")),
        ],
    }
    return page(
        request, "workbench/sheet.html", context, section="rules", crumbs=(Crumb(gettext("规则参数")),)
    )


def _section(title: str, rows: list[rulebook.ParameterValue], empty: str) -> Section:
    return Section(
        title=title,
        columns=(
            Column(gettext("参数"), "mono"),
            Column(gettext("值")),
            Column(gettext("依据"), "soft"),
            Column(gettext("可信程度"), "soft"),
        ),
        rows=[
            Row(
                (_name(row), _value(row), _basis(row), confidence_words(row.confidence)),
                unset=row.value is None,
            )
            for row in rows
        ],
        empty=empty,
    )


def _name(row: rulebook.ParameterValue) -> SafeString:
    if not row.scope:
        return format_html("{}", row.key)
    return format_html("{} [{}]", row.key, row.scope)


def _value(row: rulebook.ParameterValue) -> SafeString:
    if row.value is None:
        return format_html("{}", gettext("未设定"))
    return format_html('<span class="num">{}</span> {}', row.value, "" if row.unit == "-" else row.unit)


def _basis(row: rulebook.ParameterValue) -> SafeString:
    return format_html("{}{}", row.basis, format_html("（{}）", row.note) if row.note else "")


@require_safe
def holidays(request: HttpRequest) -> HttpResponse:
    """Show a year's holidays and worked weekends; a year that nobody has entered says what that stops."""
    this_year = timezone.localdate().year
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else this_year
    found = rulebook.holidays(year=year)
    years = range(this_year - YEARS_AROUND, this_year + YEARS_AROUND + 1)
    section = Section(
        title=gettext("%(year)s 年") % {"year": year},
        columns=(
            Column(gettext("日期"), "num"),
            Column(gettext("休息或上班")),
            Column(gettext("名称")),
            Column(gettext("依据"), "soft"),
        ),
        rows=[
            Row(
                (
                    on_day(row.day),
                    gettext("上班（调休）") if row.works else gettext("休息"),
                    row.name_zh,
                    row.basis,
                )
            )
            for row in found
        ],
        empty=gettext("%(year)s 年的节假日还没有录入。") % {"year": year},
        empty_next=gettext(
            "没有录入的年份不能推算工作日：期限显示为未定，公示不能开始。请按国务院办公厅的通知录入。"
        ),
    )
    context: dict[str, Any] = {
        "title": gettext("节假日"),
        "lead": gettext(
            "办理期限和公示按工作日推算。改动以后，在办案件的期限会重新推算；已经开始的公示不变。"
        ),
        "sections": [section],
        "ways": [
            *(
                Way(label=str(other), url=f"{reverse('workbench:holidays')}?year={other}")
                for other in years
                if other != year
            ),
            *(
                [Way(label=gettext("录入一天"), url=reverse("workbench:holiday-set"), kind="main")]
                if who(request).has(Role.SYSTEM_ADMINISTRATOR)
                else []
            ),
        ],
    }
    return page(
        request, "workbench/sheet.html", context, section="holidays", crumbs=(Crumb(gettext("节假日")),)
    )


@require_http_methods(["GET", "HEAD", "POST"])
def holiday(request: HttpRequest) -> HttpResponse:
    """Enter or correct one day of the holiday table."""
    form = HolidayForm(request.POST if request.method == "POST" else None)
    refused, status = None, 200
    if request.method == "POST":

        def perform(given: Any) -> HolidaySet:
            return set_holiday(
                actor=who(request),
                at=timezone.now(),
                idempotency_key=key_of(request),
                day=given["day"],
                works=given["works"] == "work",
                name_zh=given["name_zh"],
                basis=given["basis"],
            )

        attempt = Attempt(form, perform)
        if attempt.done is not None:
            messages.success(request, gettext("已录入，在办案件的期限将重新推算。"))
            return see_other("workbench:holidays")
        refused, status = attempt.refused, attempt.status
    context = {
        "title": gettext("录入一天"),
        "lead": gettext("只录入与星期不一致的日子：放假的工作日，或上班的周末。同一天再录一次就是更正。"),
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("录入")},
        "back": reverse("workbench:holidays"),
    }
    crumbs = (Crumb(gettext("节假日"), reverse("workbench:holidays")), Crumb(gettext("录入一天")))
    return page(request, "workbench/form.html", context, section="holidays", crumbs=crumbs, status=status)
