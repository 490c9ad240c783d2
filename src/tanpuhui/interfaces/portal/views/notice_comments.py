"""Comments on notices by those who are signed in: making one, one's own, and taking one back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import (
    comment_limits,
    withdraw_comment,
)
from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.portal.navigation import page, worded
from tanpuhui.interfaces.portal.views import notices

KEY_LENGTH_MAX = 100


class SeveralFiles(forms.ClearableFileInput):
    """A field of files, several at once."""

    allow_multiple_selected = True


class CommentForm(forms.Form):
    """A comment or objection under one's real name."""

    kind = forms.ChoiceField(
        label=gettext_lazy("要说的是"),
        widget=forms.RadioSelect,
        choices=(
            ("remark", gettext_lazy("意见或建议")),
            ("objection", gettext_lazy("异议：认为不应通过，或其中有错")),
        ),
        initial="remark",
    )
    text = forms.CharField(label=gettext_lazy("内容"), widget=forms.Textarea(attrs={"rows": 6}), strip=True)
    name = forms.CharField(
        label=gettext_lazy("真实姓名"),
        help_text=gettext_lazy("公开时只显示姓，例如 李**；承办人员看得到全名。"),
    )
    name_public = forms.BooleanField(label=gettext_lazy("公开我的全名"), required=False)
    organisation = forms.ChoiceField(label=gettext_lazy("代表"), required=False)
    attachments = forms.FileField(label=gettext_lazy("附件"), widget=SeveralFiles, required=False)


def new_form(request: HttpRequest, actor: Actor, data: Any = None) -> CommentForm:
    """Return the form of a comment, with the organisations for which the person may speak."""
    # What citizens are called on their own pages is a nickname; an organisation registers its people by name.
    known = "" if getattr(request.user, "is_citizen", True) else getattr(request.user, "display_name", "")
    form = CommentForm(data, initial={"name": known}, auto_id="say_%s")
    limits = comment_limits(timezone.now())
    own = [organisation(one) for one in actor.organisation_ids(*Role)]
    if own:
        field = form.fields["organisation"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  declared above
        field.choices = [
            ("", gettext("我自己")),
            *((str(one.id), worded(one.name, one.name_en)) for one in own),
        ]
    else:
        del form.fields["organisation"]
    form.fields["text"].widget.attrs["maxlength"] = limits.characters_max
    form.fields["attachments"].widget.attrs["accept"] = ",".join(f".{kind}" for kind in limits.kinds)
    form.fields["attachments"].help_text = gettext(
        "最多 %(files)s 个，每个不超过 %(size)s：%(kinds)s。附件只给承办人员看，不公开。"
    ) % {
        "files": limits.files_max,
        "size": filesizeformat(limits.file_bytes_max),
        "kinds": " ".join(limits.kinds),
    }
    return form


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """List what the person said to any notice, and what was answered."""
    context = {"comments": own_comments(who(request))}
    crumbs = (Crumb(gettext("公示公告"), reverse("portal:notices")), Crumb(pgettext("notice", "我的意见")))
    return page(request, "portal/my_comments.html", context, section=notices.SECTION, crumbs=crumbs)


@never_cache
@require_POST
def withdraw(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Take back one's own comment, and lead to what is left of it."""
    withdraw_comment(
        actor=who(request),
        at=timezone.now(),
        idempotency_key=key_of(request),
        comment_id=comment_id,
    )
    messages.success(request, gettext("已撤回。它留在案卷里，标明由你撤回，不会公开。"))
    response = redirect("portal:my-comments")
    response.status_code = 303
    return response


def own_comments(actor: Actor | None, *, notice_id: int | None = None) -> list[dict[str, Any]]:
    """Return the comments of whoever is signed in, on one notice or on all, the newest first."""
    if actor is None or actor.kind != "user":
        return []
    found = workflow.comments_of_person(int(actor.id))
    return [
        {
            "said": one,
            "state": _state(one),
            "may_withdraw": one.answer is None and one.withdrawn_at is None and not one.notice_closed,
        }
        for one in found
        if notice_id in {None, one.notice_id}
    ]


def _state(one: workflow.CommentView) -> tuple[str, str]:
    """Return tone and words of where a comment stands."""
    if one.withdrawn_at is not None:
        return "", gettext("已撤回，不公开")
    if one.answer is None:
        return "wait", gettext("等待答复")
    if one.answer.upheld is None:
        return "ok", gettext("已答复")
    return ("ok", gettext("异议成立")) if one.answer.upheld else ("info", gettext("异议不成立"))


def key_of(request: HttpRequest) -> str | None:
    """Return the key of this one submission, None where the form brought none."""
    return request.POST.get("idempotency_key", "")[:KEY_LENGTH_MAX] or None


def who(request: HttpRequest) -> Actor:
    """Return who acts; the permission table lets nobody in who is not signed in."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        raise NotPermitted(operation=request.path)
    return actor
