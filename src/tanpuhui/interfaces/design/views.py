"""The style guide: every part with example values, in light, dark and elder. Only in DEBUG and demonstration."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from tanpuhui.interfaces.design import examples

THEMES = ("light", "dark")
PAGES: dict[str, str] = {
    "portal": "design/guide/portal.html",
    "certificate": "design/guide/certificate.html",
    "revoked": "design/guide/certificate.html",
    "unbalanced": "design/guide/unbalanced.html",
    "citizen": "design/guide/citizen.html",
    "why": "design/guide/why.html",
    "coupon": "design/guide/coupon.html",
    "desk": "design/guide/desk.html",
    "case": "design/guide/case.html",
    "e400": "400.html",
    "e403": "403.html",
    "e404": "404.html",
    "e500": "500.html",
    "csrf": "403_csrf.html",
    "offline": "design/offline.html",
}


class ExampleForm(forms.Form):
    """Every kind of field once, so that the guide shows each in our look."""

    name = forms.CharField(label=_("机构名称"), help_text=_("与营业执照一致"))
    code = forms.CharField(label=_("统一社会信用代码"), max_length=18)
    kind = forms.ChoiceField(label=_("类型"), choices=[("owner", _("项目业主")), ("buyer", _("购买方"))])
    reach = forms.ChoiceField(
        label=_("范围"), widget=forms.RadioSelect, choices=[("city", _("一市")), ("all", _("全省"))]
    )
    about = forms.CharField(label=_("说明"), widget=forms.Textarea, required=False)
    agreed = forms.BooleanField(label=_("我已阅读并同意数据使用说明"))


def _look(request: HttpRequest) -> dict[str, Any]:
    """Return theme and mode asked for in the query, so that one address is one picture; 404 outside the demonstration."""
    if not (settings.DEBUG or getattr(settings, "TANPUHUI_DEMO", False)):
        raise Http404
    look: dict[str, Any] = {}
    if request.GET.get("theme") in THEMES:
        look["theme"] = request.GET["theme"]
    if request.GET.get("mode") == "elder":
        look["mode"] = "elder"
    return look


@require_safe
def parts(request: HttpRequest) -> HttpResponse:
    """Show every part once."""
    form = ExampleForm({"name": "", "code": "91370000", "kind": "owner", "reach": "city"})
    page = Paginator(range(342), 30).page(3)
    return render(
        request,
        "design/guide/parts.html",
        examples.everything() | _look(request) | {"form": form, "page": page, "pages": list(PAGES)},
    )


@require_safe
def sample(request: HttpRequest, page: str) -> HttpResponse:
    """Show one whole page with example values."""
    look = _look(request)
    if page not in PAGES:
        raise Http404
    return render(
        request, PAGES[page], examples.everything() | examples.shell(page) | look | {"page_name": page}
    )
