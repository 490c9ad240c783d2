"""Tags of words, forms and pages: buttons, refusals, fields, uploads, empty states, pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Textarea
from django.template import RequestContext
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.quantities import Quantity
from tanpuhui.interfaces.design import figures

register = template.Library()
Shown = str | SafeString


@register.inclusion_tag("design/parts/action_button.html")
def action_button(
    verb: str,
    amount: Quantity | Shown = "",
    *,
    thing: str = "",
    kind: str = "main",
    name: str = "",
    value: str = "",
    url: str = "",
    disabled: bool = False,
) -> dict[str, Any]:
    """`{% action_button "签发" tonnes kind="main" %}`: verb + object + quantity (收取 436 g).

    Kinds: main · plain · text · danger · line (pine outline). With `url` it is a link, else a submit button.
    """
    shown: Shown = str(amount) if not isinstance(amount, SafeString) else amount
    if isinstance(amount, Quantity):
        digits, written_unit, _ = figures.written(amount)
        shown = figures.quantity(digits, written_unit)
    return {
        "verb": verb,
        "amount": shown,
        "thing": thing,
        "kind": kind,
        "name": name,
        "value": value,
        "url": url,
        "disabled": disabled,
    }


@register.inclusion_tag("design/parts/refusal.html")
def refusal(
    item: Any, message: str = "", next_step: str = "", url: str = "", url_label: str = ""
) -> dict[str, Any]:
    """`{% refusal refusal_object %}` or `{% refusal "CODE" "不能转让：…" next_step="…" url=url url_label="…" %}`.

    What happened, to which number, what to do; the stable code stands small beneath.
    """
    code, text, retry = (str(item), message, False)
    if isinstance(item, Refusal):
        code, text, retry = item.code, message or item.message(get_language() or "zh"), item.retryable
    return {
        "code": code,
        "message": text,
        "next_step": next_step,
        "retry": retry,
        "url": url,
        "url_label": url_label,
    }


@register.inclusion_tag("design/parts/field.html")
def field(bound: BoundField, hint: str = "") -> dict[str, Any]:
    """`{% field form.quantity %}`: label, widget, help and errors of a bound field, joined for screen readers."""
    widget = bound.field.widget
    grouped = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    tick = isinstance(widget, CheckboxInput)
    help_text = hint or str(bound.help_text)
    described = " ".join(
        name
        for name, there in ((f"{bound.auto_id}_hint", help_text), (f"{bound.auto_id}_error", bound.errors))
        if there
    )
    attributes: dict[str, str | bool] = {"class": "tick" if tick or grouped else "in"}
    if isinstance(widget, Textarea):
        attributes["rows"] = "4"
    if described and not grouped:
        attributes["aria-describedby"] = described
    if bound.errors and not grouped:
        attributes["aria-invalid"] = "true"
    return {
        "bound": bound,
        "widget": bound.as_widget(attrs=attributes),
        "grouped": grouped,
        "tick": tick,
        "help_text": help_text,
        "described": described,
    }


@register.inclusion_tag("design/parts/form_fields.html")
def form_fields(form: Any) -> dict[str, Any]:
    """`{% form_fields form %}`: all fields, the form's own errors first; the view writes form, csrf token and buttons."""
    return {"form": form}


@register.inclusion_tag("design/parts/upload_form.html", takes_context=True)
def upload_form(
    context: RequestContext,
    action_url: str,
    label: str,
    *,
    hint: str = "",
    accept: str = "",
    submit_label: str = "",
    key: str = "",
    error: str = "",
    form: Any = None,
) -> dict[str, Any]:
    """`{% upload_form url "选择数据文件" hint="CSV 或 NDJSON" accept=".csv,.ndjson" form=form key=key %}`: upload with progress.

    Posts `file` (and the fields of `form`, and `idempotency_key`) as multipart; works without script, then without bar.
    """
    return {
        "csrf_token": context.get("csrf_token"),
        "action_url": action_url,
        "label": label,
        "hint": hint,
        "accept": accept,
        "submit_label": submit_label or gettext("上传文件"),
        "key": key,
        "error": error,
        "form": form,
    }


@register.inclusion_tag("design/parts/empty_state.html")
def empty_state(happened: str, next_step: str = "", url: str = "", url_label: str = "") -> dict[str, Any]:
    """`{% empty_state "这个月还没有记录。" "坐一次公交，约两天后会出现在这里。" url "看看怎么开始" %}`."""
    return {"happened": happened, "next_step": next_step, "url": url, "url_label": url_label}


@register.inclusion_tag("design/parts/pagination.html", takes_context=True)
def pagination(context: RequestContext, page: Page[Any]) -> dict[str, Any]:
    """`{% pagination page %}`: of a Django Page; keeps the other query parameters; nothing for a single page."""
    request = context.get("request")
    query = request.GET.copy() if request is not None else None

    def address(number: int) -> str:
        if query is None:
            return f"?page={number}"
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    return {
        "page": page,
        "previous": address(page.previous_page_number()) if page.has_previous() else "",
        "next": address(page.next_page_number()) if page.has_next() else "",
    }


@register.simple_tag
def breadcrumbs(crumbs: Sequence[Any]) -> SafeString:
    """`{% breadcrumbs crumbs %}`: Crumb, or pairs of label and address; the last is where one is."""
    pairs = [item if isinstance(item, tuple) else (item.label, item.url) for item in crumbs]
    inside = format_html_join(
        mark_safe('<span class="cr" aria-hidden="true">/</span>'),
        "{}",
        (
            (
                format_html('<a href="{}">{}</a>', url, label)
                if url
                else format_html("<span>{}</span>", label),
            )
            for label, url in pairs
        ),
    )
    return format_html('<nav class="crumb" aria-label="{}">{}</nav>', gettext("所在位置"), inside)
