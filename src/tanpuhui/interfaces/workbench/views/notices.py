"""Public notices on the desk (公示): what waits for an answer, one comment with its answer, and a later last day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import AnswerEntered, Extended, answer_comment, extend_notice
from tanpuhui.foundation.workflow.queries import CaseView, CommentView, NoticeState, NoticeView
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.rule_words import notice_state
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, at_moment, on_day, state_mark
from tanpuhui.interfaces.workbench.sight import areas_of, runs
from tanpuhui.interfaces.workbench.words import place_names, worded

ENDED_SHOWN = 20
OPEN_SHOWN = 100
TEXT_SHOWN = 80


class AnswerForm(forms.Form):
    """The answer to a remark; it is published."""

    text = forms.CharField(
        label=gettext_lazy("答复"),
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("答复和意见原文一起公开，不能再改。请不要写姓名、电话等个人信息。"),
        strip=True,
    )


class ObjectionForm(AnswerForm):
    """The answer to an objection, which also says whether it is right."""

    upheld = forms.ChoiceField(
        label=gettext_lazy("这条异议"),
        widget=forms.RadioSelect,
        choices=(
            ("no", gettext_lazy("不成立：公示期满后办件照常往下走")),
            ("yes", gettext_lazy("成立：办件停下，由办理人员退回或另作决定")),
        ),
    )
    field_order = ("upheld", "text")


class ExtensionForm(forms.Form):
    """A later last day, and why; both are published."""

    working_days = forms.IntegerField(label=gettext_lazy("延长几个工作日"), min_value=1, max_value=250)
    reason = forms.CharField(
        label=gettext_lazy("理由"), widget=forms.Textarea(attrs={"rows": 3}), help_text=gettext_lazy("理由会公开。"), strip=True
    )  # fmt: skip


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """List the notices of the actor's areas: those where an answer is missing, the running, the waiting, the last ended."""
    now, areas = timezone.now(), areas_of(who(request))

    def read(state: NoticeState, limit: int) -> Sequence[NoticeView]:
        return workflow.notices(at=now, state=state, areas=areas, limit=limit).notices

    running, waiting = read(NoticeState.RUNNING, OPEN_SHOWN), read(NoticeState.WAITING, OPEN_SHOWN)
    sections = [
        _section(
            gettext("期满，待结论"), waiting, gettext("没有期满后停着的公示。"), gettext("期满且没有未答复异议的，系统自动往下走。")
        ),
        _section(gettext("公示中"), running, gettext("现在没有公示。"), gettext("办件走到公示环节时自动开始。")),
        _section(
            gettext("最近结束"), read(NoticeState.ENDED, ENDED_SHOWN), gettext("还没有结束的公示。"), ""
        ),
    ]  # fmt: skip
    context = {
        "title": pgettext("rooms", "公示"),
        "lead": gettext(
            "公示自动开始、自动结束；人要做的是答复意见。异议没有答复或者成立的，办件停在公示环节。"
        ),
        "sections": sections,
    }
    return page(
        request,
        "workbench/sheet.html",
        context,
        section="notices",
        crumbs=(Crumb(pgettext("rooms", "公示")),),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Show one comment in full to those who run or watch its area; a POST answers it."""
    actor = who(request)
    found, notice, case = _in_sight(actor, comment_id)
    kind = ObjectionForm if found.objection else AnswerForm
    open_to_me = found.answer is None and found.withdrawn_at is None and workflow.may_answer(actor, notice)
    form = kind(request.POST or None) if open_to_me or request.method == "POST" else None
    attempt: Attempt[AnswerEntered] | None = None
    if form is not None and request.method == "POST":

        def perform(given: Any) -> AnswerEntered:
            return answer_comment(
                actor=actor,
                at=timezone.now(),
                idempotency_key=key_of(request),
                comment_id=comment_id,
                text=given["text"],
                upheld={"yes": True, "no": False}.get(given.get("upheld", "")),
            )

        attempt = Attempt(form, perform)
        if attempt.done is not None:
            messages.success(request, gettext("已答复，连同意见一起公开了。"))
            return see_other("workbench:case", case.case_id)
        found = workflow.comment(comment_id)
        open_to_me = open_to_me and found.answer is None and found.withdrawn_at is None
    context: dict[str, Any] = {
        "comment": found,
        "kind": gettext("异议") if found.objection else pgettext("notice", "意见"),
        "facts": _facts(found, notice, case),
        "form": form if open_to_me else None,
        "kept": "" if open_to_me or form is None else form.data.get("text", ""),
        "refused": attempt.refused if attempt else None,
        "case_url": reverse("workbench:case", args=[case.case_id]),
        "answered_by": _answered_by(found),
    }
    crumbs = (
        Crumb(pgettext("rooms", "公示"), reverse("workbench:notices")),
        Crumb(case.number, reverse("workbench:case", args=[case.case_id])),
        Crumb(gettext("异议") if found.objection else pgettext("notice", "意见")),
    )
    status = attempt.status if attempt else 200
    return page(
        request, "workbench/notice_comment.html", context, section="notices", crumbs=crumbs, status=status
    )


@require_safe
def comment_file(request: HttpRequest, comment_id: int, sha256: str) -> FileResponse:
    """Send a file of a comment to those who run or watch its area, never as something that a browser opens."""
    found, _, _ = _in_sight(who(request), comment_id)
    kept = next((one for one in found.files if one.sha256 == sha256), None)
    if kept is None:
        raise Http404
    response = FileResponse(
        open_document(sha256), as_attachment=True, filename=kept.name, content_type="application/octet-stream"
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def extend(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Put off the last day of a running notice, with a reason that is published."""
    actor = who(request)
    notice = workflow.notice(notice_id, at=timezone.now())
    if not runs(actor, notice.area):
        raise NotFound(what="公示 / notice", id=notice_id)
    form = ExtensionForm(request.POST if request.method == "POST" else None)
    attempt: Attempt[Extended] | None = None
    if request.method == "POST":

        def perform(given: Any) -> Extended:
            return extend_notice(
                actor=actor,
                at=timezone.now(),
                idempotency_key=key_of(request),
                notice_id=notice_id,
                working_days=given["working_days"],
                reason=given["reason"],
            )

        attempt = Attempt(form, perform)
        if attempt.done is not None:
            day = figures.day_in_sentence(attempt.done.last_day)
            messages.success(request, gettext("已延长到 %(day)s，并公布了理由。") % {"day": day})
            return see_other("workbench:case", notice.case_id)
    context = {
        "title": gettext("延长公示"),
        "lead": gettext("已公布的起止日不会改动，延长另行公布。公示不能缩短。"),
        "facts": [
            Fact(pgettext("notice", "事项"), notice.title, url=reverse("portal:notice", args=[notice_id])),
            Fact(gettext("截止"), f"{notice.last_day:%Y-%m-%d}"),
        ],
        "form": form,
        "refused": attempt.refused if attempt else None,
        "submit": {"verb": gettext("延长并公布理由")},
        "back": reverse("workbench:case", args=[notice.case_id]),
    }
    crumbs = (Crumb(pgettext("rooms", "公示"), reverse("workbench:notices")), Crumb(gettext("延长公示")))
    return page(
        request, "workbench/form.html", context, section="notices", crumbs=crumbs,
        status=attempt.status if attempt else 200,
    )  # fmt: skip


def parts_of(actor: Actor, case: CaseView) -> dict[str, Any]:
    """Return the notices of a case for its page; the comments in full only for those who run or watch the area."""
    found = workflow.notices_of(case.case_id, at=timezone.now())
    inside = runs(actor, case.area)
    return {"notices": [_part(actor, notice, inside=inside) for notice in found]}


def _part(actor: Actor, notice: NoticeView, *, inside: bool) -> dict[str, Any]:
    reckoned = workflow.reckoned_last_day(notice) if notice.state == NoticeState.RUNNING and inside else None
    answers = workflow.may_answer(actor, notice)
    return {
        "view": notice,
        "state": notice_state(notice.state),
        "stops": _stops(notice),
        "reckoned": reckoned if reckoned and reckoned > notice.last_day else None,
        "comments": [
            _comment_line(one, answers=answers) for one in workflow.comments_of_notice(notice.notice_id)
        ]
        if inside
        else [],
        "extend_url": reverse("workbench:notice-extend", args=[notice.notice_id])
        if answers and notice.state == NoticeState.RUNNING
        else "",
    }


def _comment_line(one: CommentView, *, answers: bool) -> dict[str, Any]:
    return {
        "said": one,
        "text": one.text if len(one.text) <= TEXT_SHOWN else f"{one.text[:TEXT_SHOWN]}…",
        "kind": ("bad", gettext("异议")) if one.objection else ("", pgettext("notice", "意见")),
        "answer": _answer_state(one, answers=answers),
    }


def _answer_state(one: CommentView, *, answers: bool) -> tuple[str, str]:
    if one.withdrawn_at is not None:
        return "", gettext("本人已撤回")
    if one.answer is None:
        return "wait", gettext("等您答复") if answers else gettext("等待答复")
    if one.answer.upheld is None:
        return "ok", gettext("已答复")
    return ("bad", gettext("异议成立")) if one.answer.upheld else ("ok", gettext("异议不成立"))


def _why(notice: NoticeView) -> str:
    """Name the objections that keep the system from moving the case on; empty where there are none."""
    if notice.state == NoticeState.ENDED:
        return ""
    said = []
    if notice.waiting:
        said.append(
            ngettext("%(n)s 条异议没有答复", "%(n)s 条异议没有答复", notice.waiting) % {"n": notice.waiting}
        )
    if notice.upheld:
        said.append(ngettext("%(n)s 条异议成立", "%(n)s 条异议成立", notice.upheld) % {"n": notice.upheld})
    return gettext("，").join(said)


def _stops(notice: NoticeView) -> str:
    """Say what keeps the system from moving the case on, if anything but time."""
    why = _why(notice)
    return gettext("%(why)s，期满也不会自动往下走。") % {"why": why} if why else ""


def _section(title: str, found: Sequence[NoticeView], empty: str, empty_next: str) -> Section:
    places = place_names()
    return Section(
        title=title,
        columns=(
            Column(pgettext("notice", "事项")),
            Column(pgettext("notice", "类别"), "soft"),
            Column(gettext("地区"), "soft"),
            Column(gettext("截止"), "soft"),
            Column(pgettext("notice", "意见"), "num"),
            Column(gettext("现在")),
        ),
        rows=[
            Row(
                (
                    one.title,
                    worded(one.process_zh, one.process_en),
                    places.get(one.area, one.area),
                    on_day(one.last_day),
                    str(one.comments),
                    _now(one),
                ),
                url=reverse("workbench:case", args=[one.case_id]),
            )
            for one in found
        ],
        empty=empty,
        empty_next=empty_next,
    )


def _now(notice: NoticeView) -> Any:
    """Say in one cell what stops a notice, how long it runs, or what became of it."""
    if why := _why(notice):
        return state_mark(("bad", why))
    if notice.state == NoticeState.ENDED:
        return state_mark(("ok", worded(notice.result, notice.result_en)))
    if notice.state == NoticeState.WAITING:
        return state_mark(("wait", gettext("等待系统往下走")))
    left = ngettext("剩 %(n)s 个工作日", "剩 %(n)s 个工作日", notice.days_left) % {"n": notice.days_left}
    return state_mark(("info", left if notice.days_left else gettext("今天最后一天")))


def _in_sight(actor: Actor, comment_id: int) -> tuple[CommentView, NoticeView, CaseView]:
    """Return a comment with its notice and case; out of the actor's area there is none. Raises NotFound."""
    found = workflow.comment(comment_id)
    case = workflow.case(found.case_id)
    if not runs(actor, case.area):
        raise NotFound(what="意见 / comment", id=comment_id)
    return found, workflow.notice(found.notice_id, at=timezone.now()), case


def _facts(found: CommentView, notice: NoticeView, case: CaseView) -> list[Fact]:
    known = {
        "phone": gettext("手机号已验证，%(phone)s") % {"phone": found.masked_phone},
        "organisation": gettext("机构登记的人员"),
    }.get(found.known_by, found.known_by)
    facts = [
        Fact(gettext("公示"), notice.title, url=reverse("portal:notice", args=[notice.notice_id])),
        Fact(pgettext("rooms", "办件"), case.number, url=reverse("workbench:case", args=[case.case_id]), mono=True),
        Fact(gettext("署名"), gettext("%(name)s，本人选择公开全名") % {"name": found.name} if found.name_public else found.name),
        Fact(gettext("核实"), known),
    ]  # fmt: skip
    if found.organisation_id is not None:
        spoken_for = organisation(found.organisation_id)
        facts.append(Fact(gettext("代表"), worded(spoken_for.name, spoken_for.name_en)))
    facts.append(Fact(gettext("收到"), at_moment(found.at)))
    if found.withdrawn_at is not None:
        facts.append(Fact(gettext("本人撤回"), at_moment(found.withdrawn_at)))
    return facts


def _answered_by(found: CommentView) -> str:
    """Return who answered and for whom, for colleagues."""
    if found.answer is None:
        return ""
    if found.answer.organisation_id is None:
        return found.answer.who
    field = organisation(found.answer.organisation_id)
    return gettext("%(who)s，%(field)s") % {
        "who": found.answer.who,
        "field": worded(field.name, field.name_en),
    }
