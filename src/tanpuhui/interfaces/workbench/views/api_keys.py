"""Keys of a data partner's systems: signing keys (签名公钥) registered and revoked, API keys (接口密钥) made, shown once, revoked."""

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

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.foundation.identity.operations import (
    ApiKeyIssued,
    SigningKeyRegistered,
    issue_api_key,
    register_signing_key,
    revoke_api_key,
    revoke_signing_key,
)
from tanpuhui.foundation.identity.queries import (
    ApiKeyView,
    OrganisationView,
    SigningKeyView,
    api_keys,
    signing_keys,
    signs,
)
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted, Refusal
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, at_moment, digits, row_act, state_mark
from tanpuhui.interfaces.workbench.sight import organisation_in_sight
from tanpuhui.interfaces.workbench.views.organisations import crumbs_of, may


class KeyForm(forms.Form):
    """What a key is for."""

    name = forms.CharField(
        label=gettext_lazy("用途"), max_length=60, help_text=gettext_lazy("例如：生产系统、联调环境。")
    )


class SigningKeyForm(forms.Form):
    """A public key and what it is for. It has a prefix because it shares its page with `KeyForm`."""

    prefix = "signing"
    name = forms.CharField(
        label=gettext_lazy("用途"), max_length=60, help_text=gettext_lazy("例如：生产系统、联调环境。")
    )
    public_key = forms.CharField(
        label=gettext_lazy("公钥"),
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false"}),
        help_text=gettext_lazy("Ed25519 公钥，PEM 格式。私钥不要发给任何人，也不要发给平台。"),
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


@require_POST
def register_signing(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Register a public key under which the partner's system signs."""
    view = _partner(request, organisation_id)
    form = SigningKeyForm(request.POST)

    def perform(given: Mapping[str, Any]) -> SigningKeyRegistered:
        return register_signing_key(
            actor=who(request),
            at=timezone.now(),
            organisation_id=organisation_id,
            name=given["name"],
            public_key=given["public_key"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _show(
            request, view, KeyForm(), signing_form=form, refused=attempt.refused, status=attempt.status
        )
    messages.success(request, gettext("公钥已登记，keyid 是 %(id)s。") % {"id": attempt.done.key_id})
    return see_other("workbench:api-keys", organisation_id)


@require_POST
def revoke_signing(request: HttpRequest, organisation_id: int, signing_key_id: int) -> HttpResponse:
    """Revoke a signing key now."""
    view = _partner(request, organisation_id)
    if signing_key_id not in {key.id for key in signing_keys(view.id)}:
        raise NotFound(what="签名公钥 signing key", id=signing_key_id)
    revoke_signing_key(
        actor=who(request), at=timezone.now(), signing_key_id=signing_key_id, idempotency_key=key_of(request)
    )
    messages.success(request, gettext("公钥已停用。"))
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
    signing_form: SigningKeyForm | None = None,
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
        "organisation_id": view.id,
        "quotas": _quotas(view.id),
        "signing": _signing_section(request, view),
        "signing_form": signing_form or SigningKeyForm(),
        "signs": signs(view.id, at=timezone.now()),
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


def _quotas(partner_id: int) -> list[Fact]:
    """Say what the partner may send and has sent, as far as a rule limits it."""
    use = activity.quota_use(partner_id, at=timezone.now())
    unlimited = gettext("不限")
    return [
        Fact(
            gettext("这一分钟的调用"),
            unlimited
            if use.calls_max is None
            else gettext("%(used)s 次，上限 %(max)s 次")
            % {"used": digits(use.calls), "max": digits(use.calls_max)},
        ),
        Fact(
            gettext("今天的记录"),
            gettext("%(used)s 条，不限") % {"used": digits(use.records)}
            if use.records_max is None
            else gettext("%(used)s 条，上限 %(max)s 条")
            % {"used": digits(use.records), "max": digits(use.records_max)},
        ),
    ]


def _signing_section(request: HttpRequest, view: OrganisationView) -> Section:
    return Section(
        columns=(
            Column(gettext("用途")),
            Column("keyid", "mono"),
            Column(gettext("登记"), "soft"),
            Column(gettext("状态")),
            Column(""),
        ),
        rows=[_signing_row(request, view, key) for key in signing_keys(view.id)],
        empty=gettext("还没有签名公钥。"),
        empty_next=gettext("登记以后，系统以签名报送数据，接口密钥随即不再单独有效。"),
    )


def _signing_row(request: HttpRequest, view: OrganisationView, key: SigningKeyView) -> Row:
    over = key.revoked_at is not None or (key.valid_to is not None and key.valid_to <= timezone.now())
    act = reverse("workbench:revoke-signing-key", args=[view.id, key.id])
    return Row(
        (
            key.name,
            key.key_id,
            at_moment(key.valid_from),
            state_mark(("", gettext("已停用")) if over else ("ok", gettext("有效"))),
            "" if over else row_act(request, act, gettext("停用"), kind="text"),
        )
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
