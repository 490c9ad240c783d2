"""API keys of a data partner (接口密钥): made, shown once, revoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tanpuhui.foundation.identity.operations import ApiKeyIssued, issue_api_key, revoke_api_key
from tanpuhui.foundation.identity.queries import ApiKeyView, OrganisationView, api_keys
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted, Refusal
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, at_moment, row_act, state_mark
from tanpuhui.interfaces.workbench.sight import organisation_in_sight
from tanpuhui.interfaces.workbench.views.organisations import crumbs_of, may


class KeyForm(forms.Form):
    """What a key is for."""

    name = forms.CharField(
        label=gettext_lazy("用途"), max_length=60, help_text=gettext_lazy("例如：生产系统、联调环境。")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def keys(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """List the keys of a partner; a POST makes one and shows it this once."""
    view = _partner(request, organisation_id)
    if request.method != "POST":
        return _show(request, view, KeyForm())
    form = KeyForm(request.POST)

    def perform(given: Mapping[str, Any]) -> ApiKeyIssued:
        return issue_api_key(
            actor=who(request),
            at=timezone.now(),
            organisation_id=organisation_id,
            name=given["name"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _show(request, view, form, refused=attempt.refused, status=attempt.status)
    return _show(request, view, KeyForm(), shown=attempt.done.key)


@require_POST
def revoke(request: HttpRequest, organisation_id: int, api_key_id: int) -> HttpResponse:
    """Revoke a key now."""
    view = _partner(request, organisation_id)
    if api_key_id not in {key.id for key in api_keys(view.id)}:
        raise NotFound(what="接口密钥 API key", id=api_key_id)
    revoke_api_key(
        actor=who(request), at=timezone.now(), api_key_id=api_key_id, idempotency_key=key_of(request)
    )
    messages.success(request, gettext("密钥已停用。"))
    return see_other("workbench:api-keys", organisation_id)


def _partner(request: HttpRequest, organisation_id: int) -> OrganisationView:
    view = organisation_in_sight(who(request), organisation_id)
    if not may(who(request), view, Role.SECURITY_ADMINISTRATOR):
        raise NotPermitted(operation="identity.issue_api_key")
    return view


def _show(
    request: HttpRequest,
    view: OrganisationView,
    form: KeyForm,
    *,
    shown: str = "",
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    section = Section(
        columns=(
            Column(gettext("用途")),
            Column(gettext("末四位"), "mono"),
            Column(gettext("生成"), "soft"),
            Column(gettext("状态")),
            Column(""),
        ),
        rows=[_row(request, view, key) for key in api_keys(view.id)],
        empty=gettext("还没有密钥。"),
        empty_next=gettext("数据伙伴的系统凭密钥报送数据。"),
    )
    context = {
        "title": gettext("接口密钥"),
        "form": form,
        "shown": shown,
        "refused": refused,
        "section": section,
    }
    return page(
        request,
        "workbench/api_keys.html",
        context,
        section="organisations",
        crumbs=crumbs_of(view, Crumb(gettext("接口密钥"))),
        status=status,
    )


def _row(request: HttpRequest, view: OrganisationView, key: ApiKeyView) -> Row:
    revoked = key.revoked_at is not None
    act = reverse("workbench:revoke-api-key", args=[view.id, key.id])
    return Row(
        (
            key.name,
            key.hint,
            at_moment(key.issued_at),
            state_mark(("", gettext("已停用")) if revoked else ("ok", gettext("有效"))),
            "" if revoked else row_act(request, act, gettext("停用"), kind="text"),
        )
    )
