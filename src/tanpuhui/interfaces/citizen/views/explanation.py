"""Why a record gave so many grams (这 436 g 怎么来的): steps, sources, rounding, points apart, fingerprint."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import RecordExplanation
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.queries import AppealState, DisowningState
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.transparency import queries as transparency
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.interfaces.citizen.derivation import bars_of, lines_of
from tanpuhui.interfaces.citizen.navigation import account_needed, acting, in_english, locale, page, worded
from tanpuhui.interfaces.citizen.rows import icon_of, scenario_names, state_of
from tanpuhui.interfaces.citizen.views.appeals import disowning_words, state_words
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Fact
from tanpuhui.science.methodology import queries as methodology


@require_safe
@account_needed
def record(request: HttpRequest, posting: int, row: int) -> HttpResponse:
    """Explain one of the person's own records; anybody else's is not found."""
    _, user_id = acting(request)
    try:
        found = accounts.explanation(user_id, posting_id=posting, row=row, locale=locale())
    except Refusal as refusal:
        if refusal.code == "RECORD_NOT_FOUND":
            raise NotFound(what=gettext("记录"), id=f"{posting}/{row}") from refusal
        raise
    sender = identity.organisation(found.posting.partner_id)
    version = methodology.loaded(found.posting.methodology_version_id)
    taken_back = _taken_back(found, user_id)
    state, words = state_of(found.record) if taken_back is None else ("refused", gettext("已冲回，不再计入"))
    title = gettext("这 %(grams)s g 怎么来的") % {"grams": found.record.grams}
    context = {
        "found": found,
        "scene": scenario_names().get(found.record.scenario, found.record.scenario),
        "icon": icon_of(found.record.scenario),
        "state": state,
        "state_text": words,
        "occurred": _occurred(found),
        "bars": bars_of(found),
        "lines": lines_of(found, version, partner=worded(sender.name, sender.name_en)),
        "label": (". " if in_english() else "；").join(
            filter(None, (found.explanation.label, found.explanation.purpose_label))
        ),
        "points": _points(found),
        "proof": _proof(found),
        "taken_back": taken_back,
        "not_mine": _not_mine(found, user_id) if taken_back is None else None,
    }
    back = reverse("citizen:records") + f"?month={found.posting.month}"
    return page(request, "citizen/why.html", context, section="home", title=title, back=back)


def _taken_back(found: RecordExplanation, user_id: int) -> dict[str, str] | None:
    """Say that a record does not count any more, why, and where it can be or is appealed."""
    view = found.record
    last = activity.last_exception(posting_id=view.posting_id, row=view.row)
    if last is None or not last.excluded:
        return None
    standing = next(
        (
            one
            for one in accounts.appeals_of_user(user_id)
            if (one.posting_id, one.row, one.against_run) == (view.posting_id, view.row, last.run_id)
            and one.state is not AppealState.WITHDRAWN
        ),
        None,
    )
    if standing is None:
        address = reverse("citizen:appeal-taken-back", args=(view.posting_id, view.row))
        return {"why": last.text(locale()), "label": gettext("有异议，申诉"), "url": address}
    label = gettext("申诉：%(state)s") % {"state": state_words(standing.state)[1]}
    return {"why": last.text(locale()), "label": label, "url": reverse("citizen:appeal", args=(standing.id,))}


def _not_mine(found: RecordExplanation, user_id: int) -> dict[str, str]:
    """Say where a person can say that a record is not theirs, or how that stands."""
    view = found.record
    standing = next(
        (
            one
            for one in accounts.disownings_of_user(user_id)
            if (one.posting_id, one.row) == (view.posting_id, view.row)
            and one.state is not DisowningState.WITHDRAWN
        ),
        None,
    )
    if standing is None:
        address = reverse("citizen:disown", args=(view.posting_id, view.row))
        return {"label": gettext("这不是我的"), "url": address}
    label = gettext("这不是我的：%(state)s") % {"state": disowning_words(standing.state)[1]}
    return {"label": label, "url": reverse("citizen:disowning", args=(standing.id,))}


def _occurred(found: RecordExplanation) -> str:
    view = found.record
    if view.started_at is None:
        return f"{view.day:%Y-%m-%d}"
    began = timezone.localtime(view.started_at)
    ended = f"{figures.EN_DASH}{timezone.localtime(view.ended_at):%H:%M}" if view.ended_at else ""
    places = " → ".join(
        place for place in (view.traces.get("from_place"), view.traces.get("to_place")) if place
    )
    return " ".join(filter(None, (f"{began:%Y-%m-%d %H:%M}{ended}", view.traces.get("line", ""), places)))


def _points(found: RecordExplanation) -> list[Fact]:
    """Tell the points of the record's day and posting, with their rule; they are counted apart from the grams."""
    view, rule = found.record, found.points_rule
    entry = next(
        (
            line
            for line in ledger.entries_of_days(view.account_id, first_day=view.day, last_day=view.day)
            if line.journal_id == found.posting.journal_id
        ),
        None,
    )
    facts: list[Fact] = []
    if entry is not None:
        facts.append(
            Fact(
                gettext("同一天同批入账"),
                gettext("%(n)s 笔，共 %(grams)s g") % {"n": entry.n_records, "grams": entry.grams},
                reverse("citizen:line", args=(entry.day.isoformat(), entry.journal_id)),
            )
        )
        facts.append(Fact(gettext("得积分"), f"{entry.points} {figures.points_unit(entry.points.value)}"))
    if rule:
        now = rulebook.parameter(key=rule["key"], at=view.day, scope=rule["scope"])
        sure = now.confidence if (now.value, now.basis) == (rule["value"], rule["basis"]) else ""
        facts.append(
            Fact(
                gettext("规则"),
                gettext("每克 %(value)s 分，按天合计后向下取整") % {"value": rule["value"]},
            )
        )
        facts.append(Fact(gettext("依据"), " ".join(filter(None, (rule["basis"], _confidence(sure))))))
    return facts


def _confidence(tag: str) -> str:
    return gettext("［%(tag)s］") % {"tag": tag} if tag else ""


def _proof(found: RecordExplanation) -> list[Fact]:
    """Give the version and the fingerprint: hash of the posting, and its entry in the public log."""
    told, posting = found.explanation, found.posting
    address = reverse("portal:methodology", args=(told.methodology, told.version))
    facts = [
        Fact(gettext("方法学"), told.title, address),
        Fact(gettext("取值"), told.purpose_label),
        Fact(gettext("入账指纹"), _digest(posting.hash), mono=True),
        Fact(gettext("记录号"), f"{posting.id}/{found.record.row}", mono=True),
    ]
    leaf = transparency.leaf_of(kind="posting", subject=f"posting:{posting.id}")
    if leaf is None:
        return facts
    if leaf.index is None:
        facts.append(Fact(gettext("公开日志"), gettext("证明待生成")))
    else:
        words = gettext("第 %(index)s 条，查看证明") % {"index": f"{leaf.index:,}"}
        facts.append(Fact(gettext("公开日志"), words, reverse("portal:log-inclusion", args=(leaf.id,))))
    return facts


def _digest(digest: str) -> SafeString:
    return format_html('<span title="{}">{}</span>', digest, figures.short_digest(digest))
