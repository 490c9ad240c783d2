"""One review as its expert does it: declaration, scored opinion, remarks on lines, own calculation, vote and signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.interfaces.design.review_words import conclusion_name, vote_name
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.sight import review_in_sight
from tanpuhui.interfaces.workbench.views.review_parts import (
    file_of,
    meeting_page,
    sheet_page,
    text_page,
    trial_page,
)
from tanpuhui.interfaces.workbench.words import worded
from tanpuhui.science.engine.record_text import MAX_TEXT
from tanpuhui.science.methodology.operations import (
    MeetingSigned,
    RemarkMade,
    ReviewSaved,
    SeatDeclared,
    TrialKept,
    VoteCast,
    cast_vote,
    declare_seat,
    make_remark,
    run_expert_trial,
    save_review,
    sign_conclusion,
)
from tanpuhui.science.methodology.queries import Conclusion, PanelView, ReviewView, Vote, review_versions


class DeclarationForm(forms.Form):
    """Whether an expert is free of interest in a case."""

    free = forms.ChoiceField(
        label=gettext_lazy("利害关系"),
        widget=forms.RadioSelect,
        choices=[
            ("yes", gettext_lazy("本人、近亲属和所在单位与本案没有利害关系")),
            ("no", gettext_lazy("有利害关系，申请回避")),
        ],
    )
    declaration = forms.CharField(
        label=gettext_lazy("声明"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("回避的，写明是什么关系。声明随案保存，回避的理由会公布。"),
    )


class ReviewForm(forms.Form):
    """The review sheet: a score and its reason for each criterion, the opinion as a whole, the recommendation.

    Handed in it is whole; what is only saved may lack anything.
    """

    text = forms.CharField(label=gettext_lazy("总体意见"), widget=forms.Textarea(attrs={"rows": 5}))
    recommendation = forms.ChoiceField(label=gettext_lazy("建议"), widget=forms.RadioSelect, choices=())

    def __init__(
        self,
        *args: Any,
        panel: PanelView,
        saved: ReviewView | None = None,
        whole: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.panel = panel
        set_choices(
            self, "recommendation", [(one.value, conclusion_name(one.value)[1]) for one in Conclusion]
        )
        scale = [("", gettext("未评"))] + [(str(n), str(n)) for n in range(panel.score_max + 1)]
        for criterion in panel.criteria:
            self.fields[f"score_{criterion.code}"] = forms.ChoiceField(
                label=worded(criterion.label_zh, criterion.label_en),
                widget=forms.Select(attrs={"class": "in"}),
                choices=scale,
                help_text=worded(criterion.question_zh, criterion.question_en),
            )
            self.fields[f"why_{criterion.code}"] = forms.CharField(
                label=gettext("理由"), widget=forms.Textarea(attrs={"rows": 2, "class": "in"})
            )
        for field in self.fields.values():
            field.required = whole
        if saved is not None:
            self.initial.update({f"score_{code}": str(score) for code, score in saved.scores.items()})
            self.initial.update({f"why_{code}": text for code, text in saved.texts.items()})
            self.initial.update(text=saved.text, recommendation=saved.recommendation)

    def rows(self) -> list[dict[str, Any]]:
        """Return the criteria in order, each with its two fields and weight."""
        return [
            {
                "criterion": criterion,
                "score": self[f"score_{criterion.code}"],
                "why": self[f"why_{criterion.code}"],
            }
            for criterion in self.panel.criteria
        ]

    def content(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the operation takes: scores as whole numbers, only those that were given."""
        codes = [criterion.code for criterion in self.panel.criteria]
        return {
            "scores": {code: int(given[f"score_{code}"]) for code in codes if given[f"score_{code}"]},
            "texts": {code: given[f"why_{code}"] for code in codes if given[f"why_{code}"]},
            "text": given["text"],
            "recommendation": given["recommendation"],
        }


class RemarkForm(forms.Form):
    """A remark on one line."""

    line = forms.IntegerField(label=gettext_lazy("行号"), min_value=1)
    text = forms.CharField(
        label=gettext_lazy("意见"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )


class TrialForm(forms.Form):
    """Rows of an expert's own."""

    rows = forms.CharField(max_length=MAX_TEXT, strip=False)
    note = forms.CharField(max_length=500, required=False)


class VoteForm(forms.Form):
    """A vote, and a dissent in its own words."""

    vote = forms.ChoiceField(label=gettext_lazy("是否同意推荐备案"), widget=forms.RadioSelect)
    dissent = forms.CharField(
        label=gettext_lazy("保留意见"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("原文保存，随结论公布。"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "vote", [(one.value, vote_name(one.value)) for one in Vote])


class SignForm(forms.Form):
    """The conclusion from the chair."""

    conclusion = forms.ChoiceField(label=gettext_lazy("结论"), widget=forms.RadioSelect)
    opinion = forms.CharField(
        label=gettext_lazy("评审会意见"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "conclusion", [(one.value, conclusion_name(one.value)[1]) for one in Conclusion])


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, panel_id: int) -> HttpResponse:
    """Show the declaration while it is due, else the review sheet; a POST saves the sheet or hands it in."""
    actor = who(request)
    panel, seat = review_in_sight(actor, panel_id)
    saved = own_review(panel, seat.expert_number)
    if request.method != "POST":
        return sheet_page(
            request, panel, seat, form=ReviewForm(panel=panel, saved=saved), declaration=DeclarationForm()
        )
    submit = request.POST.get("act") == "submit"
    form = ReviewForm(request.POST, panel=panel, whole=submit)

    def perform(given: Mapping[str, Any]) -> ReviewSaved:
        return save_review(
            actor=actor,
            at=timezone.now(),
            panel_id=panel_id,
            submit=submit,
            idempotency_key=key_of(request),
            **form.content(given),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return sheet_page(request, panel, seat, form=form, refused=attempt.refused, status=attempt.status)
    said = gettext("评审意见已提交，签名 %(hash)s。") % {"hash": attempt.done.sha256[:16]}
    messages.success(request, said if submit else gettext("已保存，还没有提交。"))
    return see_other("workbench:review", panel_id)


@require_POST
def declare(request: HttpRequest, panel_id: int) -> HttpResponse:
    """Take the seat, or give it up to the next in order."""
    actor = who(request)
    panel, seat = review_in_sight(actor, panel_id)
    form = DeclarationForm(request.POST)

    def perform(given: Mapping[str, Any]) -> SeatDeclared:
        return declare_seat(
            actor=actor,
            at=timezone.now(),
            panel_id=panel_id,
            free=given["free"] == "yes",
            declaration=given["declaration"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return sheet_page(
            request, panel, seat, declaration=form, refused=attempt.refused, status=attempt.status
        )
    free = attempt.done.state == "declared"
    messages.success(
        request, gettext("已声明，可以开始评审。") if free else gettext("已回避，席位由下一名递补。")
    )
    return see_other("workbench:review", panel_id)


@require_http_methods(["GET", "HEAD", "POST"])
def text(request: HttpRequest, panel_id: int) -> HttpResponse:
    """Show a file of the version with numbered lines and the remarks on them; a POST remarks on one."""
    actor = who(request)
    panel, seat = review_in_sight(actor, panel_id)
    path = file_of(request, panel)
    if request.method != "POST":
        chosen = request.GET.get("line", "")
        form = RemarkForm(initial={"line": chosen if chosen.isdecimal() else ""})
        return text_page(request, panel, seat, path=path, form=form)
    form = RemarkForm(request.POST)

    def perform(given: Mapping[str, Any]) -> RemarkMade:
        return make_remark(
            actor=actor,
            at=timezone.now(),
            panel_id=panel_id,
            path=path,
            idempotency_key=key_of(request),
            **given,
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return text_page(
            request, panel, seat, path=path, form=form, refused=attempt.refused, status=attempt.status
        )
    messages.success(request, gettext("意见已写在第 %(line)s 行。") % {"line": form.cleaned_data["line"]})
    response = see_other("workbench:review-text", panel_id)
    response["Location"] += f"?{urlencode({'file': path})}#L{form.cleaned_data['line']}"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def trial(request: HttpRequest, panel_id: int) -> HttpResponse:
    """Calculate an expert's own rows with the version and keep them with the result."""
    actor = who(request)
    panel, seat = review_in_sight(actor, panel_id)
    if request.method != "POST":
        return trial_page(request, panel, seat)
    form = TrialForm({**request.POST.dict(), "rows": request.POST.get("rows", "").replace("\r\n", "\n")})

    def perform(given: Mapping[str, Any]) -> TrialKept:
        return run_expert_trial(
            actor=actor, at=timezone.now(), panel_id=panel_id, idempotency_key=key_of(request), **given
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        rows = request.POST.get("rows", "")[:MAX_TEXT]
        refused = attempt.refused or Invalid(
            field="rows", why="请粘贴 1 行以上的数据 / paste at least one row"
        )
        return trial_page(request, panel, seat, rows=rows, refused=refused, status=max(attempt.status, 400))
    messages.success(request, gettext("试算了 %(n)s 行，已保存。") % {"n": attempt.done.rows})
    return see_other("workbench:review-trial", panel_id)


@require_http_methods(["GET", "HEAD"])
def meeting(request: HttpRequest, panel_id: int) -> HttpResponse:
    """Show the meeting with its votes; who is present votes here, and the chair signs."""
    panel, seat = review_in_sight(who(request), panel_id)
    return meeting_page(request, panel, seat, vote=VoteForm(), sign=SignForm())


@require_POST
def vote(request: HttpRequest, panel_id: int, meeting_id: int) -> HttpResponse:
    """Cast a vote."""
    actor = who(request)
    panel, seat = review_in_sight(actor, panel_id)
    form = VoteForm(request.POST)

    def perform(given: Mapping[str, Any]) -> VoteCast:
        return cast_vote(
            actor=actor, at=timezone.now(), meeting_id=meeting_id, idempotency_key=key_of(request), **given
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return meeting_page(
            request,
            panel,
            seat,
            vote=form,
            sign=SignForm(),
            refused=attempt.refused,
            status=attempt.status,
        )
    messages.success(request, gettext("已表决：%(vote)s。") % {"vote": vote_name(attempt.done.vote)})
    return see_other("workbench:review-meeting", panel_id)


@require_POST
def sign(request: HttpRequest, panel_id: int, meeting_id: int) -> HttpResponse:
    """Sign the conclusion from the chair."""
    actor = who(request)
    panel, seat = review_in_sight(actor, panel_id)
    form = SignForm(request.POST)

    def perform(given: Mapping[str, Any]) -> MeetingSigned:
        return sign_conclusion(
            actor=actor, at=timezone.now(), meeting_id=meeting_id, idempotency_key=key_of(request), **given
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return meeting_page(
            request,
            panel,
            seat,
            vote=VoteForm(),
            sign=form,
            refused=attempt.refused,
            status=attempt.status,
        )
    said = gettext("已签署：%(conclusion)s。") % {"conclusion": conclusion_name(attempt.done.conclusion)[1]}
    messages.success(request, said)
    return see_other("workbench:review-meeting", panel_id)


def own_review(panel: PanelView, expert_number: int) -> ReviewView | None:
    """Return what the expert saved last on the version before the panel."""
    found = review_versions(panel.panel_id, expert_number=expert_number)
    return next((one for one in found if one.version_id == panel.version_id), None)
