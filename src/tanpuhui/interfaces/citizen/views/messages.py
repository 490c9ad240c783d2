"""Messages (消息): what a person was told, and whether they also want it as a text message."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from tanpuhui.foundation.messages import operations
from tanpuhui.foundation.messages import queries as told
from tanpuhui.foundation.messages.queries import Audience, Channel, Preferences
from tanpuhui.interfaces.citizen.navigation import SEE_OTHER, acting, page, said, worded

PER_PAGE = 20


@require_http_methods(["GET", "HEAD", "POST"])
def messages(request: HttpRequest) -> HttpResponse:
    """List what the person was told, newest first; a POST opens one message, or keeps which text messages are wanted."""
    actor, user_id = acting(request)
    at = timezone.now()
    chosen = told.preferences(user_id, at=at, audience=Audience.CITIZENS)
    if request.method == "POST" and "open" in request.POST:
        wanted = request.POST["open"]
        view = told.message(user_id, int(wanted) if wanted.isdecimal() else 0)
        operations.read_messages(actor=actor, at=at, message_ids=[view.id])
        response = redirect(view.link)
        response.status_code = SEE_OTHER
        return response
    if request.method == "POST":
        ticked = set(request.POST.getlist("sms"))
        choices = {
            kind: {channel: kind in ticked}
            for kind, channel in chosen.wanted
            if channel == Channel.SMS.value and Channel.SMS in chosen.channels
        }
        operations.choose_channels(actor=actor, at=at, choices=choices)
        return said(request, gettext("短信提醒已保存。"), "citizen:messages")
    shown = Paginator(told.messages_of(user_id), PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": shown,
        "items": [_item(told.view_of(row)) for row in shown],
        "kinds": _kinds(chosen),
    }
    return page(
        request,
        "citizen/messages.html",
        context,
        section="me",
        title=gettext("消息"),
        back=reverse("citizen:me"),
    )


def _item(view: told.MessageView) -> dict[str, Any]:
    return {
        "id": view.id,
        "title": worded(view.title_zh, view.title_en),
        "body": worded(view.body_zh, view.body_en),
        "at": view.at,
        "read": view.read_at is not None,
    }


def _kinds(chosen: Preferences) -> list[dict[str, Any]]:
    """Return the kinds that can also come as a text message, with whether they do; none without a gateway."""
    if Channel.SMS not in chosen.channels:
        return []
    return [
        {
            "kind": view.kind,
            "label": worded(view.label_zh, view.label_en),
            "wanted": chosen.wanted[view.kind, Channel.SMS.value],
        }
        for view in chosen.kinds
        if (view.kind, Channel.SMS.value) in chosen.wanted
    ]
