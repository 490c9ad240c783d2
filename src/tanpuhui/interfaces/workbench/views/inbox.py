"""The inbox (待办): what waits for the actor, by time left; and who the actor is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext
from django.views.decorators.http import require_safe

from tanpuhui.books.transparency import queries as transparency
from tanpuhui.credits.registry.queries import TransferView
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.rulebook.queries import days_left
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.queries import (
    Criteria,
    InboxCounts,
    InboxLine,
    InboxPage,
    NoticeState,
    NoticeView,
    Sort,
)
from tanpuhui.interfaces.design.parts import Crumb, Fact, InboxRow, Tab
from tanpuhui.interfaces.workbench import filters
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import WITHOUT_INBOX, doors, own_organisations, page
from tanpuhui.interfaces.workbench.parts import Pages, digits
from tanpuhui.interfaces.workbench.review_words import review_task
from tanpuhui.interfaces.workbench.views.list_acts import colleagues
from tanpuhui.interfaces.workbench.waiting import answers_waiting, offers_waiting, reviews_waiting
from tanpuhui.interfaces.workbench.words import (
    acting_for,
    case_kind,
    names_of_organisations,
    names_of_places,
    place_names,
    role_name,
    worded,
)
from tanpuhui.science.methodology.queries import ExpertTask

TRANSFER = "transfer"
"""The kind of an offered transfer: it is answered on the holding's page, not in a case."""

ANSWER = "notice"
"""The kind of a notice with an objection: it is answered beside its comments, and the case waits for it."""

REVIEW = "review"
"""The kind of what a panel asks of an expert: it is done on the page of the review, not in the case."""

PER_PAGE = 30


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List what waits for the actor, narrowed where asked: cases by their deadline, then units offered to them."""
    actor, at = who(request), timezone.now()
    criteria, number = filters.criteria_of(request), filters.page_of(request)
    offers, answers, tasks = offers_waiting(actor), answers_waiting(actor, at), reviews_waiting(actor)
    narrowed = criteria != Criteria(sort=criteria.sort)
    waiting = workflow.inbox_page(
        actor=actor, at=at, criteria=criteria, offset=(number - 1) * PER_PAGE, limit=PER_PAGE
    )
    counts, found, lines = waiting.counts, waiting.found, waiting.lines
    offered = offers if not narrowed or criteria == Criteria(process=TRANSFER, sort=criteria.sort) else ()
    asked = answers if not narrowed or criteria == Criteria(process=ANSWER, sort=criteria.sort) else ()
    reviewed = tasks if not narrowed or criteria == Criteria(process=REVIEW, sort=criteria.sort) else ()
    names = names_of_organisations(
        [
            *(task.case.organisation_id for task in reviewed),
            *(line.case.organisation_id for line in lines),
            *(offer.source_id for offer in offered),
            *(one.organisation_id for one in asked),
        ]
    )
    places = names_of_places([*(line.case.area for line in lines), *(one.area for one in asked)])
    passing = colleagues(actor) if lines else ()
    picks = _picks(lines) if len(passing) > 1 else {}
    signed = transparency.head()
    total = counts.total + len(offers) + len(answers) + len(tasks)
    home = reverse("workbench:inbox")
    context: dict[str, Any] = {
        "total": total,
        "decides": bool(actor.roles - WITHOUT_INBOX),
        "overdue": counts.overdue,
        "due_today": counts.due_today,
        "mine": counts.mine,
        "today": timezone.localdate(),
        "tabs": _tabs(counts, {TRANSFER: len(offers), ANSWER: len(answers), REVIEW: len(tasks)}, criteria),
        "selects": _selects(waiting, criteria),
        "criteria": criteria,
        "narrowed": narrowed,
        "found": found + (len(offered) + len(asked) + len(reviewed) if narrowed else 0),
        "home": home,
        "given": criteria.given(),
        "saved": filters.saved(actor, "inbox", home, criteria),
        "export_url": filters.address(reverse("workbench:export-inbox"), criteria),
        "passing": passing if picks else (),
        "pages": Pages.of(
            number, found, per_page=PER_PAGE, address=lambda n: filters.address(home, criteria, page=n)
        ),
        "rows": [
            *(_row(line, names, places, picks.get(line.case.case_id, "")) for line in lines),
            *(_answer_row(one, names, places) for one in asked if number == 1),
            *(_offer_row(offer, names) for offer in offered if number == 1),
            *(_review_row(task, names) for task in reviewed if number == 1),
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


def _tabs(counts: InboxCounts, others: Mapping[str, int], criteria: Criteria) -> list[Tab]:
    home = reverse("workbench:inbox")
    numbers = dict(counts.by_process) | {kind: number for kind, number in others.items() if number}
    tabs = [Tab(pgettext("filter", "全部"), home, sum(numbers.values()), active=not criteria.process)]
    tabs.extend(
        Tab(case_kind(process), f"{home}?process={process}", count, active=process == criteria.process)
        for process, count in sorted(numbers.items())
    )
    return tabs


def _selects(waiting: InboxPage, criteria: Criteria) -> list[filters.Select]:
    """Return what the inbox can be narrowed by: states and cities among what waits, deadline, assignment, order."""
    states = {
        state: worded(*label)
        for (process, state), label in waiting.state_labels.items()
        if criteria.process in {"", process}
    }
    cities = names_of_places([city.ljust(6, "0") for city in waiting.counts.by_city])
    return [
        filters.select("state", gettext("环节"), gettext("全部环节"), criteria.state, sorted(states.items())),
        filters.areas(criteria.area, sorted(cities.items())),
        filters.due(criteria.due),
        filters.held(criteria.held),
        filters.sort(criteria.sort, Sort.DEADLINE),
    ]


def _picks(lines: Sequence[InboxLine]) -> dict[int, str]:
    """Return what each case is picked by: itself, and its step and assignment as they are on the page."""
    acts = workflow.assignments_seen([line.case.case_id for line in lines])
    return {
        line.case.case_id: f"{line.case.case_id}:{line.case.step}:{acts.get(line.case.case_id, 0)}"
        for line in lines
    }


def _row(line: InboxLine, names: Mapping[int, str], places: Mapping[str, str], pick: str) -> InboxRow:
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
        stopped=line.case.clock_stopped,
        pick=pick,
    )


def _answer_row(notice: NoticeView, names: Mapping[int, str], places: Mapping[str, str]) -> InboxRow:
    """Return a notice whose objections wait as a row; they are answered from the page of its case."""
    waiting = ngettext("%(n)s 条异议等您答复", "%(n)s 条异议等您答复", notice.waiting) % {"n": notice.waiting}
    return InboxRow(
        kind=case_kind(ANSWER),
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


def _offer_row(offer: TransferView, names: Mapping[int, str]) -> InboxRow:
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


def _review_row(task: ExpertTask, names: dict[int, str]) -> InboxRow:
    """Return what a panel asks of the expert as a row; the time is that of the case."""
    days = (timezone.localdate() - business_day(task.since)).days
    left = task.case.deadline_day
    return InboxRow(
        kind=case_kind(REVIEW),
        title=task.case.title,
        number=task.case.number,
        url=reverse("workbench:review", args=[task.panel_id]),
        applicant=names.get(task.case.organisation_id or 0, gettext("运营中心")),
        action=review_task(task.kind),
        place=ngettext("已等 %(days)s 天", "已等 %(days)s 天", days) % {"days": days},
        days_total=task.case.deadline_working_days,
        days_left=None if left is None else days_left([left], today=timezone.localdate())[left],
    )
