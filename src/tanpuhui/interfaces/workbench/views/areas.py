"""Areas of the sub-centres (辖区): who runs which city, and changing it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.foundation.identity.operations import AreaAssigned, assign_area
from tanpuhui.foundation.identity.queries import area_assignments, organisations
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.rulebook.queries import jurisdiction, regions
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, on_day
from tanpuhui.interfaces.workbench.words import worded


class AssignForm(forms.Form):
    """Which city goes to which sub-centre, from when and why."""

    area = forms.ChoiceField(label=gettext_lazy("城市"))
    centre = forms.ChoiceField(label=gettext_lazy("划给"), required=False)
    begins = forms.DateField(
        label=gettext_lazy("从"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=gettext_lazy("不填就是立即。在办案件随区域一起移交。"),
    )
    reason = forms.CharField(label=gettext_lazy("理由"), widget=forms.Textarea, max_length=500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = jurisdiction()
        cities = regions(level="city", parent=place.area)
        set_choices(self, "area", [(city.code, worded(city.name_zh, city.name_en)) for city in cities])
        centres = organisations(kind="subcentre")
        set_choices(
            self,
            "centre",
            [("", gettext("省运营中心")), *((str(one.id), worded(one.name, one.name_en)) for one in centres)],
        )


@require_safe
def areas(request: HttpRequest) -> HttpResponse:
    """List every city with who runs it, and the changes before and to come."""
    now = timezone.now()
    names = {one.id: worded(one.name, one.name_en) for one in organisations(kind="subcentre")}
    cities = {
        city.code: worded(city.name_zh, city.name_en)
        for city in regions(level="city", parent=jurisdiction().area)
    }
    today = {row.area: row for row in area_assignments(at=now)}
    rows = [
        Row((name, names[today[code].organisation_id], on_day(today[code].valid_from), today[code].reason))
        if code in today
        else Row((name, gettext("省运营中心"), "", ""))
        for code, name in cities.items()
    ]
    changes = [
        Row(
            (
                cities.get(row.area, row.area),
                names[row.organisation_id],
                on_day(row.valid_from),
                on_day(row.valid_to),
                row.reason,
            )
        )
        for row in area_assignments()
        if row not in today.values()
    ]
    context = {
        "title": gettext("辖区"),
        "lead": gettext("各市由哪个分中心办理。没有划给分中心的由省运营中心办理。"),
        "ways": [Way(label=gettext("调整辖区"), url=reverse("workbench:assign-area"), kind="main")]
        if who(request).has(Role.SYSTEM_ADMINISTRATOR)
        else [],
        "sections": [
            Section(
                title=gettext("现在"),
                columns=(
                    Column(gettext("城市")),
                    Column(gettext("由谁办理")),
                    Column(gettext("起"), "soft"),
                    Column(gettext("理由")),
                ),
                rows=rows,
            ),
            Section(
                title=gettext("以前和以后"),
                columns=(
                    Column(gettext("城市")),
                    Column(gettext("由谁办理")),
                    Column(gettext("起"), "soft"),
                    Column(gettext("止"), "soft"),
                    Column(gettext("理由")),
                ),
                rows=changes,
                empty=gettext("没有调整过。"),
            ),
        ],
    }
    return page(request, "workbench/sheet.html", context, section="areas", crumbs=(Crumb(gettext("辖区")),))


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: HttpRequest) -> HttpResponse:
    """Let another sub-centre, or the province, run a city."""
    form = AssignForm(request.POST if request.method == "POST" else None)

    def perform(given: Mapping[str, Any]) -> AreaAssigned:
        begins = given["begins"]
        return assign_area(
            actor=who(request),
            at=timezone.now(),
            area=given["area"],
            organisation_id=int(given["centre"]) if given["centre"] else None,
            reason=given["reason"],
            begins=None
            if begins is None or begins <= timezone.localdate()
            else dt.datetime.combine(begins, dt.time(), tzinfo=CHINA),
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform) if request.method == "POST" else None
    if attempt is None or attempt.done is None:
        context = {
            "title": gettext("调整辖区"),
            "lead": gettext("在办案件从生效时起由新的分中心办理，原分中心不再看到；已作的决定记着原来的人。"),
            "form": form,
            "refused": attempt.refused if attempt else None,
            "submit": {"verb": gettext("调整辖区")},
            "back": reverse("workbench:areas"),
        }
        crumbs = (Crumb(gettext("辖区"), reverse("workbench:areas")), Crumb(gettext("调整辖区")))
        return page(
            request,
            "workbench/form.html",
            context,
            section="areas",
            crumbs=crumbs,
            status=attempt.status if attempt else 200,
        )
    messages.success(request, gettext("辖区已调整。"))
    return see_other("workbench:areas")
