"""Which wording a person agrees to (同意文本). A scenario's is a version of the jurisdiction's, with its places filled in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.queries import ConsentTextMissing
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.citizen.navigation import locale, worded
from tanpuhui.science.methodology import queries as methodology

ACCOUNT_TEXT = "2026-1"
"""The version that is shown where the carbon account is opened."""

ADMISSION_TEXT = "2026-1"
"""The version that is shown where a balance of a former programme is accepted, and recorded with the acceptance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """An organisation that sends a scenario's records, and where its latest file stands."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownText:
    """A version as the page shows it: its sections in the page's language, each a heading and a paragraph."""

    version: str
    sections: tuple[tuple[str, str], ...]


def scenario_text(
    *, name: str, partners: tuple[Partner, ...], fields: tuple[str, ...], at: datetime
) -> ShownText | None:
    """Return the wording in force for a scenario, filled in; None where none is, so that nobody can consent."""
    try:
        text = identity.consent_text(identity.SCENARIO, at=at)
    except ConsentTextMissing:
        return None
    comma = "、" if locale() == "zh" else ", "
    filled = {
        "name": name,
        "partners": comma.join(partner.name for partner in partners) or gettext("接入的数据方"),
        "fields": "".join(f"{comma}{field}" for field in fields),
    }
    sections = text.zh if locale() == "zh" else text.en
    return ShownText(
        version=text.version,
        sections=tuple((heading.format(**filled), words.format(**filled)) for heading, words in sections),
    )


def account_template() -> str:
    """Return the template of the text for opening the account in the page's language."""
    return f"citizen/consents/account-{ACCOUNT_TEXT}.{locale()}.html"


def admission_template() -> str:
    """Return the template of the text for taking over a balance in the page's language."""
    return f"citizen/consents/admission-{ADMISSION_TEXT}.{locale()}.html"


def partners_of(scenario: str) -> tuple[Partner, ...]:
    """Return who sends the records of a scenario, each once."""
    ids = dict.fromkeys(feed.partner_id for feed in activity.feeds() if feed.scenario == scenario)
    found = (identity.organisation(partner_id) for partner_id in ids)
    return tuple(Partner(id=row.id, name=worded(row.name, row.name_en)) for row in found)


def fields_asked(version_id: int) -> tuple[str, ...]:
    """Return the names of the data that a methodology calculates with, which is what the consent is about."""
    try:
        loaded = methodology.loaded(version_id)
    except Refusal:
        return ()
    return tuple(field.name.text(locale()) for field in loaded.fields)
