"""Taking over an existing programme (存量迁入): its file with verdicts, terms, and how far people have accepted. No names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import (
    AdmissionProposed,
    AdmissionReceived,
    propose_admission,
    receive_admission,
)
from tanpuhui.behaviour.carbon_accounts.queries import AdmissionView
from tanpuhui.foundation.identity.queries import OrganisationView, organisation, organisations
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, at_moment, digits, link, on_day, state_mark
from tanpuhui.interfaces.workbench.sight import runs
from tanpuhui.interfaces.workbench.words import locale, worded

STATES = {
    "received": ("", gettext_lazy("已收到，待提出")),
    "proposed": ("pending", gettext_lazy("待复核")),
    "open": ("ok", gettext_lazy("等本人确认")),
    "rejected": ("bad", gettext_lazy("不同意")),
    "withdrawn": ("", gettext_lazy("已撤回")),
    "ended": ("", gettext_lazy("已结束")),
}


class SendForm(forms.Form):
    """Whose accounts they are, of which day, and the file."""

    programme = forms.ChoiceField(label=gettext_lazy("原平台的机构"))
    as_of = forms.DateField(
        label=gettext_lazy("截止日期"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("余额是哪一天的。文件里每一行的 as_of 都要是这一天。"),
    )  # fmt: skip
    file = forms.FileField(
        label=gettext_lazy("文件（CSV、NDJSON 或 Excel）"), widget=forms.FileInput,
        help_text=gettext_lazy("列：member_id、phone、area、points、as_of，可以加 grams、member_since。原样加密保存，不要含姓名。"),
    )  # fmt: skip

    def __init__(self, *args: Any, programmes: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "programme", list(programmes.items()))


class TermsForm(forms.Form):
    """The terms on which a programme's points become ours, and who pays."""

    rate = forms.CharField(
        label=gettext_lazy("折算率"), max_length=20, required=False,
        help_text=gettext_lazy("原来 1 积分合本平台几积分，写成 1/2、3 或 0.25；每户向下取整。规则已有规定的留空。"),
    )  # fmt: skip
    rate_source = forms.CharField(
        label=gettext_lazy("折算率的依据"), max_length=200, required=False,
        help_text=gettext_lazy("哪份文件、哪次会议定的。规则已有规定的留空。"),
    )  # fmt: skip
    budget = forms.IntegerField(
        label=gettext_lazy("预算（积分）"), min_value=0, max_value=10**15,
        help_text=gettext_lazy("不少于折算后的总数；没有用掉的退回出资方。"),
    )  # fmt: skip
    payer = forms.CharField(label=gettext_lazy("出资方"), max_length=100)
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea)


@require_safe
def admissions(request: HttpRequest) -> HttpResponse:
    """List the files of existing programmes that the actor may see."""
    actor = who(request)
    section = Section(
        columns=(
            Column(gettext("原平台")),
            Column(gettext("截止日期"), "soft"),
            Column(gettext("状态")),
            Column(gettext("行数"), "num"),
            Column(gettext("可迁入"), "num"),
            Column(gettext("已确认"), "num"),
            Column(gettext("等待"), "num"),
        ),
        rows=[
            Row(
                (
                    _name(view.programme_id),
                    on_day(view.as_of),
                    state_mark(_state(view)),
                    digits(view.rows),
                    digits(view.accepted),
                    digits(view.of("claimed").count),
                    digits(view.of("waiting").count),
                ),
                url=reverse("workbench:admission", args=[view.id]),
            )
            for view in accounts.admissions()
            if _sees(actor, view)
        ],
        empty=gettext("还没有迁入的平台。"),
        empty_next=gettext("城市原有平台的账户和积分，由两人核准以后，等每个人自己确认。"),
    )
    send = Way(label=gettext("送来文件"), url=reverse("workbench:send-admission"), kind="main")
    context = {
        "title": gettext("存量迁入"),
        "lead": gettext("批准只是让余额等待本人确认：不开户，也不入账。原平台的克数只供查看，不计入减排量。"),
        "ways": [send] if _programmes(actor) else [],
        "sections": [section],
    }
    crumbs = (Crumb(gettext("存量迁入")),)
    return page(request, "workbench/sheet.html", context, section="admissions", crumbs=crumbs)


@require_safe
def admission(request: HttpRequest, admission_id: int) -> HttpResponse:
    """Show one file: what became of its rows, its terms, and how far people have accepted."""
    actor = who(request)
    view = _in_sight(actor, admission_id)
    ways = [Way(label=gettext("下载逐行结果"), url=reverse("workbench:admission-report", args=[view.id]))]
    if view.state == "received" and view.accepted and actor.has(Role.MAKER, area=view.area):
        address = reverse("workbench:propose-admission", args=[view.id])
        ways.append(Way(label=gettext("提出迁入"), url=address, kind="main"))
    faults = Section(
        title=gettext("没有计入的行"),
        columns=(Column(gettext("原因")), Column(gettext("行数"), "num")),
        rows=[
            Row((accounts.verdict_text(verdict, locale()), digits(count)))
            for verdict, count in accounts.admission_faults(view.id).items()
        ],
        empty=gettext("没有。"),
        empty_next=gettext("每一行都可以迁入。"),
    )
    context = {
        "title": _name(view.programme_id),
        "lead": gettext("只有户数和积分，没有姓名、手机号和会员号。"),
        "facts": admission_facts(view),
        "ways": ways,
        "sections": [_progress(view), faults],
    }
    crumbs = (
        Crumb(gettext("存量迁入"), reverse("workbench:admissions")),
        Crumb(_name(view.programme_id)),
    )
    return page(request, "workbench/sheet.html", context, section="admissions", crumbs=crumbs)


@require_safe
def report(request: HttpRequest, admission_id: int) -> StreamingHttpResponse:
    """Send the verdict of every row as CSV; nothing in it says whose a row is."""
    view = _in_sight(who(request), admission_id)
    lines = accounts.admission_report(view.id)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="admission-{view.id}-rows.csv"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def send(request: HttpRequest) -> HttpResponse:
    """Take a programme's file; the same bytes again lead to the admission they are already."""
    actor = who(request)
    programmes = {str(one.id): worded(one.name, one.name_en) for one in _programmes(actor)}
    if request.method != "POST":
        return _send_page(request, SendForm(programmes=programmes))
    form = SendForm(request.POST, request.FILES, programmes=programmes)

    def perform(given: Mapping[str, Any]) -> AdmissionReceived:
        upload = given["file"]
        return receive_admission(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            programme_id=int(given["programme"]),
            as_of=given["as_of"],
            file_name=upload.name,
            media_type=upload.content_type or "application/octet-stream",
            content=upload.file,
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _send_page(request, form, refused=attempt.refused, status=attempt.status)
    return see_other("workbench:admission", attempt.done.admission_id)


@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, admission_id: int) -> HttpResponse:
    """State the terms; another person decides."""
    actor = who(request)
    view = _in_sight(actor, admission_id)
    if not actor.has(Role.MAKER, area=view.area):
        raise NotFound(what="存量迁入 programme admission", id=admission_id)
    if request.method != "POST":
        return _terms_page(request, view, TermsForm())
    form = TermsForm(request.POST)

    def perform(given: Mapping[str, Any]) -> AdmissionProposed:
        return propose_admission(
            actor=actor, at=timezone.now(), admission_id=view.id, idempotency_key=key_of(request), **given
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _terms_page(request, view, form, refused=attempt.refused, status=attempt.status)
    return see_other("workbench:case", attempt.done.case_id)


def admission_part(admission_id: int) -> dict[str, Any]:
    """Return what a case of an admission is about, as its page shows it."""
    return {"facts": admission_facts(accounts.admission(admission_id), in_case=True)}


def admission_facts(view: AdmissionView, *, in_case: bool = False) -> list[Fact]:
    """Return the terms of an admission; what no rule sets is said to be unset."""
    rules = accounts.admission_terms(area=view.area, at=timezone.now())
    until: Any = on_day(view.claim_until) if view.claim_until else gettext("没有规定，一直等待")
    if view.opened_at is None and rules.claim_days is not None:
        until = gettext("批准后 %(n)s 天") % {"n": rules.claim_days}
    facts = [
        Fact(gettext("状态"), state_mark(_state(view))),
        Fact(gettext("截止日期"), on_day(view.as_of)),
        Fact(gettext("行数"), digits(view.rows)),
        Fact(gettext("可迁入"), digits(view.accepted)),
        Fact(gettext("文件 SHA-256"), view.file_sha256, mono=True),
        Fact(gettext("折算率"), view.rate or rules.rate or gettext("没有规定，由经办写明")),
        Fact(gettext("折算率的依据"), view.rate_source or (rules.rate_basis if rules.rate else "")),
        Fact(gettext("折算后的积分"), digits(view.points)),
        Fact(gettext("预算（积分）"), digits(view.budget)),
        Fact(gettext("出资方"), view.payer),
        Fact(gettext("本人确认期限"), until),
    ]
    if in_case:
        address = reverse("workbench:admission", args=[view.id])
        facts.insert(0, Fact(gettext("原平台"), link(address, _name(view.programme_id))))
    elif view.case_id is not None:
        case = link(reverse("workbench:case", args=[view.case_id]), gettext("查看"))
        facts.append(Fact(gettext("办件"), case))
    if view.opened_at is not None:
        facts.append(Fact(gettext("批准时间"), at_moment(view.opened_at)))
    return [fact for fact in facts if fact.value]


def _progress(view: AdmissionView) -> Section:
    words = {
        "waiting": gettext("等待本人确认"),
        "claimed": gettext("已确认迁入"),
        "declined": gettext("本人放弃"),
        "lapsed": gettext("到期未确认"),
        "received": gettext("还没有批准"),
        "dropped": gettext("没有批准，已清除"),
    }
    rows = [
        Row((label, digits(view.of(state).count), digits(view.of(state).points)))
        for state, label in words.items()
        if view.of(state).count
    ]
    return Section(
        title=gettext("进展"),
        columns=(Column(gettext("状态")), Column(gettext("户数"), "num"), Column(gettext("积分"), "num")),
        rows=rows,
        empty=gettext("没有可以迁入的行。"),
        empty_next=gettext("请下载逐行结果，改正后重新送来。"),
        note=gettext("放弃和到期的，个人信息已经清除，积分留在预算里，全部了结后退回出资方。"),
    )


def _send_page(
    request: HttpRequest, form: SendForm, *, refused: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "title": gettext("送来原平台的账户"),
        "lead": gettext("同一份文件只收一次。收到后逐行核对，哈希进入公开日志；这时还没有人得到积分。"),
        "form": form,
        "multipart": True,
        "refused": refused,
        "submit": {"verb": gettext("送来")},
        "back": reverse("workbench:admissions"),
    }
    crumbs = (Crumb(gettext("存量迁入"), reverse("workbench:admissions")), Crumb(gettext("送来文件")))
    return page(request, "workbench/form.html", context, section="admissions", crumbs=crumbs, status=status)


def _terms_page(
    request: HttpRequest,
    view: AdmissionView,
    form: TermsForm,
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    rules = accounts.admission_terms(area=view.area, at=timezone.now())
    said = gettext("规则没有写明折算率，请写明并注明依据。")
    if rules.rate is not None:
        said = gettext("规则写明折算率 %(rate)s（%(basis)s），不用填写。") % {
            "rate": rules.rate,
            "basis": rules.rate_basis,
        }
    waits = gettext("规则没有写明等待本人确认的天数，批准后一直等待。")
    if rules.claim_days is not None:
        waits = gettext("批准后等待本人确认 %(n)s 天。") % {"n": rules.claim_days}
    context = {
        "title": gettext("提出迁入"),
        "lead": f"{said}{waits}",
        "facts": [
            Fact(gettext("原平台"), _name(view.programme_id)),
            Fact(gettext("可迁入"), digits(view.accepted)),
        ],
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("提出")},
        "back": reverse("workbench:admission", args=[view.id]),
    }
    crumbs = (
        Crumb(gettext("存量迁入"), reverse("workbench:admissions")),
        Crumb(_name(view.programme_id), reverse("workbench:admission", args=[view.id])),
        Crumb(gettext("提出")),
    )
    return page(request, "workbench/form.html", context, section="admissions", crumbs=crumbs, status=status)


def _sees(actor: Actor, view: AdmissionView) -> bool:
    return runs(actor, view.area) or view.programme_id in actor.organisation_ids(Role.PARTNER)


def _in_sight(actor: Actor, admission_id: int) -> AdmissionView:
    found = accounts.admission(admission_id)
    if not _sees(actor, found):
        raise NotFound(what="存量迁入 programme admission", id=admission_id)
    return found


def _programmes(actor: Actor) -> list[OrganisationView]:
    """Return the organisations whose accounts the actor may hand over."""
    own = set(actor.organisation_ids(Role.PARTNER))
    return [
        one for one in organisations(kind="partner") if one.id in own or actor.has(Role.MAKER, area=one.area)
    ]


def _name(programme_id: int) -> str:
    found = organisation(programme_id)
    return worded(found.name, found.name_en)


def _state(view: AdmissionView) -> tuple[str, str]:
    tone, words = STATES[view.state]
    return tone, str(words)
