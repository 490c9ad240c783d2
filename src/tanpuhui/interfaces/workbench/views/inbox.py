"""The inbox (待办): what waits for the actor, by time left; and who the actor is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext
from django.views.decorators.http import require_safe

from tanpuhui.books.transparency import queries as transparency
from tanpuhui.credits.registry.queries import TransferView
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.workflow.queries import InboxLine, NoticeState, NoticeView
from tanpuhui.interfaces.design.parts import Crumb, Fact, InboxRow, Tab
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import WITHOUT_INBOX, doors, own_organisations, page
from tanpuhui.interfaces.workbench.parts import digits
from tanpuhui.interfaces.workbench.waiting import answers_waiting, cases_waiting, offers_waiting
from tanpuhui.interfaces.workbench.words import acting_for, case_kind, place_names, role_name, worded

NOTICE = "notice"
"""The kind of a public notice with an objection to answer."""

TRANSFER = "transfer"
"""The kind of an offered transfer: it is answered on the holding's page, not in a case."""


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List what waits for the actor, filtered by kind: cases by their deadline, then units offered to them."""
    actor = who(request)
    lines, offers = cases_waiting(actor, timezone.now()), offers_waiting(actor)
    answers = answers_waiting(actor, timezone.now())
    wanted = request.GET.get("kind", "")
    shown = [line for line in lines if wanted in {"", line.case.process}]
    offered = offers if wanted in {"", TRANSFER} else ()
    answered = answers if wanted in {"", NOTICE} else ()
    any_shown = shown or offered or answered
    names = {view.id: worded(view.name, view.name_en) for view in organisations()} if any_shown else {}
    places = place_names() if shown or answered else {}
    signed = transparency.head()
    total = len(lines) + len(offers) + len(answers)
    context: dict[str, Any] = {
        "total": total,
        "decides": bool(actor.roles - WITHOUT_INBOX),
        "overdue": sum(1 for line in lines if line.days_left is not None and line.days_left < 0),
        "due_today": sum(1 for line in lines if line.days_left == 0),
        "today": timezone.localdate(),
        "tabs": _tabs(lines, offers, answers, wanted),
        "rows": [
            *(_answer_row(notice, names, places) for notice in answered),
            *(_row(line, names, places) for line in shown),
            *(_offer_row(offer, names) for offer in offered),
        ],
        "doors": [door for door in doors(actor) if door.name != "inbox"],
        "head": signed.head if signed else None,
    }
    return page(request, "workbench/inbox.html", context, section="inbox", waiting=total)


@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """Say who is signed in, for which organisations and in which roles."""
    actor = who(request)
    names = {view.id: worded(view.name, view.name_en) for view in own_organisations(actor)}
    places = place_names()
    facts = [
        Fact(
            role_name(grant.role),
            f"{names.get(grant.organisation_id or 0, '')} {places.get(grant.area, grant.area)}"
            + acting_for(grant.on_behalf_of),
        )
        for grant in actor.grants
    ]
    crumbs = (Crumb(gettext("我的身份")),)
    return page(request, "workbench/me.html", {"facts": facts}, section="me", crumbs=crumbs)


def _tabs(
    lines: Sequence[InboxLine], offers: Sequence[TransferView], answers: Sequence[NoticeView], wanted: str
) -> list[Tab]:
    counts: dict[str, int] = {}
    kinds = [*(line.case.process for line in lines), *(TRANSFER for _ in offers), *(NOTICE for _ in answers)]
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    home = reverse("workbench:inbox")
    tabs = [Tab(pgettext("filter", "全部"), home, sum(counts.values()), active=not wanted)]
    tabs.extend(
        Tab(case_kind(process), f"{home}?kind={process}", count, active=process == wanted)
        for process, count in sorted(counts.items())
    )
    return tabs


def _row(line: InboxLine, names: dict[int, str], places: dict[str, str]) -> InboxRow:
    """Return a case as a row; its next action is the first decision that is open to the actor."""
    waited = ngettext("已等 %(days)s 天", "已等 %(days)s 天", line.days_waiting) % {"days": line.days_waiting}
    place = places.get(line.case.area, line.case.area)
    first = line.outcomes[0] if line.outcomes else None
    return InboxRow(
        kind=case_kind(line.case.process),
        title=line.case.title,
        number=line.case.number,
        url=reverse("workbench:case", args=[line.case.case_id]),
        applicant=names.get(line.case.organisation_id or 0, gettext("运营中心")),
        action=worded(first.label_zh, first.label_en) if first else gettext("查看"),
        place=gettext("%(place)s，%(waited)s") % {"place": place, "waited": waited},
        days_total=line.case.deadline_working_days,
        days_left=line.days_left,
    )


def _answer_row(notice: NoticeView, names: dict[int, str], places: dict[str, str]) -> InboxRow:
    """Return a notice whose objections wait as a row; they are answered from the page of its case."""
    waiting = ngettext("%(n)s 条异议等您答复", "%(n)s 条异议等您答复", notice.waiting) % {"n": notice.waiting}
    return InboxRow(
        kind=case_kind(NOTICE),
        title=notice.title,
        number=notice.number,
        url=reverse("workbench:case", args=[notice.case_id]),
        applicant=names.get(notice.organisation_id or 0, gettext("运营中心")),
        action=gettext("答复异议"),
        place=gettext("%(place)s，%(waited)s")
        % {"place": places.get(notice.area, notice.area), "waited": waiting},
        days_total=notice.working_days,
        days_left=notice.days_left if notice.state == NoticeState.RUNNING else 0,
    )


def _offer_row(offer: TransferView, names: dict[int, str]) -> InboxRow:
    """Return offered units as a row; they are accepted or declined where the organisation's units stand."""
    days = (timezone.localdate() - business_day(offer.offered_at)).days
    return InboxRow(
        kind=case_kind(TRANSFER),
        title=gettext("转入 %(quantity)s t，%(serial)s")
        % {"quantity": digits(offer.quantity), "serial": offer.serials[0] if offer.serials else ""},
        number=offer.number,
        url=reverse("workbench:holding", args=[offer.target_id]),
        applicant=names.get(offer.source_id, ""),
        action=gettext("接受或谢绝"),
        place=ngettext("已等 %(days)s 天", "已等 %(days)s 天", days) % {"days": days},
    )
