"""What Django answers when a request cannot be served (错误页): a page for people, one JSON shape for programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import requires_csrf_token

from tanpuhui.interfaces.access.domain import is_for_programs

_SAID = {
    400: ("BAD_REQUEST", _("这个请求看不懂，什么都没有改变。")),
    403: ("NOT_PERMITTED", _("这个地址不对您开放。")),
    404: ("NOT_FOUND", _("没有这个地址。请核对接口文档。")),
    500: ("SERVER_ERROR", _("没有办成，已经记录下来。请过一会儿用同一个幂等键再试。")),
}


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400."""
    return _answer(request, 400)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    return _answer(request, 403)


@requires_csrf_token
def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return _answer(request, 404)


@requires_csrf_token
def failed(request: HttpRequest) -> HttpResponse:
    """Answer 500; nothing here reads the database, which may be what failed."""
    return _answer(request, 500)


@requires_csrf_token
def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token is missing or too old."""
    return render(request, "403_csrf.html", status=403)


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    if is_for_programs(request.path):
        code, sentence = _SAID[status]
        body = {"code": code, "message": str(sentence), "data": {}, "retryable": status == 500}
        return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
    return render(request, f"{status}.html", status=status)
