"""Messages (消息): what a person was told, and by which ways they want to be told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages as flash
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST

from tanpuhui.foundation.messages import operations
from tanpuhui.foundation.messages import queries as told
from tanpuhui.foundation.messages.queries import Audience, Channel, MessageView, Offer, Preferences
from tanpuhui.interfaces.design.parts import Crumb, Tab
from tanpuhui.interfaces.workbench.acting import Attempt, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import at_moment
from tanpuhui.interfaces.workbench.words import worded

PER_PAGE = 30


class AddressForm(forms.Form):
    """Where the person reads mail."""

    address = forms.CharField(max_length=320, strip=True)


@require_http_methods(["GET", "HEAD", "POST"])
def messages(request: HttpRequest) -> HttpResponse:
    """List what the person was told, newest first; of one kind, or only what is unread. A POST marks the page as read."""
    actor = who(request)
    user_id = told.own_id(actor, operation="messages")
    if request.method == "POST":
        # Up to the newest that stood on the page: what came since has been seen by nobody.
        newest = request.POST.get("up_to", "")
        up_to = int(newest) if newest.isdecimal() else 0
        done = operations.read_messages(actor=actor, at=timezone.now(), up_to=up_to)
        flash.success(request, gettext("%(n)s 条消息已标为已读。") % {"n": done.read})
        return see_other("workbench:messages")
    kind, only_unread = request.GET.get("kind", ""), request.GET.get("unread") == "1"
    rows = told.messages_of(user_id, kind=kind, only_unread=only_unread)
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": shown,
        "items": [_item(told.view_of(row)) for row in shown],
        "tabs": _tabs(kind, only_unread=only_unread),
        "filtered": bool(kind or only_unread),
    }
    return page(request, "workbench/messages.html", context, crumbs=(Crumb(gettext("消息")),))


@require_POST
def open_message(request: HttpRequest, message_id: int) -> HttpResponse:
    """Mark one message as read and lead to what it speaks of."""
    actor = who(request)
    view = told.message(told.own_id(actor, operation="open_message"), message_id)
    operations.read_messages(actor=actor, at=timezone.now(), message_ids=[message_id])
    response = redirect(view.link)
    response.status_code = 303
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """Show by which ways each kind of message leaves the platform; a POST keeps what is ticked."""
    actor = who(request)
    user_id = told.own_id(actor, operation="message_settings")
    chosen = told.preferences(user_id, at=timezone.now(), audience=Audience.ORGANISATIONS)
    if request.method == "POST":
        ticked = set(request.POST.getlist("wanted"))
        choices: dict[str, dict[str, bool]] = {}
        for kind, channel in chosen.wanted:
            choices.setdefault(kind, {})[channel] = f"{kind}:{channel}" in ticked
        operations.choose_channels(actor=actor, at=timezone.now(), choices=choices)
        flash.success(request, gettext("通知方式已保存。"))
        return see_other("workbench:message-settings")
    return _settings_page(request, chosen)


@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest) -> HttpResponse:
    """Keep a mail address and send it the letter that confirms it, or forget the one that is kept."""
    actor = who(request)
    if request.method != "POST":
        return redirect("workbench:message-settings")
    if "forget" in request.POST:
        operations.remove_mail_address(actor=actor, at=timezone.now())
        flash.success(request, gettext("邮箱已删除，不再发邮件。"))
        return see_other("workbench:message-settings")
    form = AddressForm(request.POST)

    def perform(given: Any) -> operations.MailAddressChanged:
        changed = operations.give_mail_address(actor=actor, at=timezone.now(), address=given["address"])
        operations.send_confirmation(user_id=changed.user_id, path=reverse("workbench:confirm-address"))
        return changed

    attempt = Attempt(form, perform)
    if attempt.done is not None:
        flash.success(request, gettext("确认邮件已发出，请在 24 小时内打开邮件里的地址。"))
        return see_other("workbench:message-settings")
    user_id = told.own_id(actor, operation="message_settings")
    chosen = told.preferences(user_id, at=timezone.now(), audience=Audience.ORGANISATIONS)
    return _settings_page(request, chosen, form=form, refused=attempt.refused, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Take an address into use: the letter leads here, and one press of the button does it."""
    token = request.POST.get("token") or request.GET.get("token", "")
    refused = None
    if request.method == "POST":
        attempt = Attempt(
            forms.Form(request.POST),
            lambda _: operations.confirm_mail_address(actor=who(request), at=timezone.now(), token=token),
        )
        if attempt.done is not None:
            flash.success(request, gettext("邮箱已确认，今后按您的设置发邮件。"))
            return see_other("workbench:message-settings")
        refused = attempt.refused
    context = {"token": token, "refused": refused}
    crumbs = (_back_to_settings(), Crumb(gettext("确认邮箱")))
    return page(
        request, "workbench/confirm_address.html", context, crumbs=crumbs, status=409 if refused else 200
    )


def _back_to_settings() -> Crumb:
    return Crumb(gettext("消息设置"), reverse("workbench:message-settings"))


def _item(view: MessageView) -> dict[str, Any]:
    return {
        "id": view.id,
        "title": worded(view.title_zh, view.title_en),
        "body": worded(view.body_zh, view.body_en),
        "kind": worded(view.kind_zh, view.kind_en),
        "at": at_moment(view.at),
        "read_at": view.read_at,
    }


def _tabs(kind: str, *, only_unread: bool) -> list[Tab]:
    home = reverse("workbench:messages")
    tabs = [
        Tab(pgettext("filter", "全部"), home, active=not kind and not only_unread),
        Tab(gettext("未读"), f"{home}?unread=1", active=only_unread),
    ]
    tabs.extend(
        Tab(worded(view.label_zh, view.label_en), f"{home}?kind={view.kind}", active=kind == view.kind)
        for view in told.kinds(at=timezone.now(), audience=Audience.ORGANISATIONS)
    )
    return tabs


def _settings_page(
    request: HttpRequest,
    chosen: Preferences,
    *,
    form: forms.Form | None = None,
    refused: object = None,
    status: int = 200,
) -> HttpResponse:
    names = {Channel.MAIL: gettext("邮件"), Channel.SMS: gettext("短信")}
    context: dict[str, Any] = {
        "chosen": chosen,
        "channels": [names[channel] for channel in chosen.channels],
        "mail": Channel.MAIL in chosen.channels,
        "sms": Channel.SMS in chosen.channels,
        "rows": [
            {
                "label": worded(view.label_zh, view.label_en),
                "cells": [
                    {
                        "name": f"{view.kind}:{channel.value}",
                        "label": names[channel],
                        "offered": offer != Offer.NEVER,
                        "wanted": chosen.wanted.get((view.kind, channel.value), False),
                    }
                    for channel, offer in ((Channel.MAIL, view.mail), (Channel.SMS, view.sms))
                    if channel in chosen.channels
                ],
            }
            for view in chosen.kinds
        ],
        "form": form,
        "refused": refused,
    }
    crumbs = (Crumb(gettext("消息"), reverse("workbench:messages")), Crumb(gettext("消息设置")))
    return page(request, "workbench/message_settings.html", context, crumbs=crumbs, status=status)
