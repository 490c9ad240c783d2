"""The wordings that people consent to (同意文本), and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, OuterRef, Subquery

from tanpuhui.foundation.identity.domain.consent_texts import (
    SCENARIO,
    ConsentTextMissing,
    Sections,
    TextRow,
)
from tanpuhui.foundation.identity.models import Consent, ConsentText
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.calendar import business_day

__all__ = [
    "SCENARIO",
    "ConsentTextMissing",
    "TextRow",
    "consent_text",
    "consent_text_breaches",
    "consent_texts",
]


def consent_text(purpose: str, *, at: datetime) -> TextRow:
    """Return the version in force on the business day of `at`. Raises ConsentTextMissing."""
    day = business_day(at)
    row = ConsentText.objects.filter(purpose=purpose, valid_from__lte=day).order_by("-valid_from").first()
    if row is None:
        raise ConsentTextMissing(purpose=purpose, day=day.isoformat())
    return _text(row)


def consent_texts(purpose: str) -> tuple[TextRow, ...]:
    """Return every version for a purpose, oldest first."""
    return tuple(_text(row) for row in ConsentText.objects.filter(purpose=purpose).order_by("valid_from"))


def consent_text_breaches() -> Iterator[Breach]:
    """Report versions that do not say what their hash says, and consents whose hash is not that of their version."""
    for row in ConsentText.objects.order_by("id"):
        if _text(row).sha256() != row.sha256:
            yield Breach("consent_text_is_unchanged", f"consent_text:{row.pk}", "wording and hash disagree")
    of_version = ConsentText.objects.filter(purpose=SCENARIO, version=OuterRef("text_version"))
    pinned = Consent.objects.exclude(text_sha256="").annotate(said=Subquery(of_version.values("sha256")[:1]))
    for consent_id in pinned.filter(said__isnull=True).values_list("id", flat=True):
        yield Breach("consent_names_its_text", f"consent:{consent_id}", "there is no such version")
    for consent_id in pinned.exclude(said=F("text_sha256")).values_list("id", flat=True):
        yield Breach("consent_names_its_text", f"consent:{consent_id}", "its hash is not that of the version")


def _text(row: ConsentText) -> TextRow:
    return TextRow(
        purpose=row.purpose,
        version=row.version,
        valid_from=row.valid_from,
        zh=_sections(row.sections_zh),
        en=_sections(row.sections_en),
    )


def _sections(stored: list[list[str]]) -> Sections:
    return tuple((heading, text) for heading, text in stored)
