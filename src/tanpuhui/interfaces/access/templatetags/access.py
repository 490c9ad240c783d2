"""A fresh idempotency key for each form, so that a double click has one effect."""

from __future__ import annotations

import uuid

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def idempotency_key() -> SafeString:
    """Return a hidden field that names this one submission."""
    return format_html('<input type="hidden" name="idempotency_key" value="{}">', uuid.uuid4())
