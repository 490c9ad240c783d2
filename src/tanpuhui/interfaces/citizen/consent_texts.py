"""Which wording a person agrees to (同意文本): a file per version and language; a changed wording is a new version."""

from __future__ import annotations

from dataclasses import dataclass

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.citizen.navigation import locale, worded
from tanpuhui.science.methodology import queries as methodology

SCENARIO_TEXT = "2026-1"
"""The version that is shown now and recorded with each consent to a scenario (个人信息保护法 articles 14 and 29)."""
ACCOUNT_TEXT = "2026-1"
"""The version that is shown where the carbon account is opened."""

ADMISSION_TEXT = "2026-1"
"""The version that is shown where a balance of a former programme is accepted, and recorded with the acceptance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """An organisation that sends a scenario's records, and where its latest file stands."""

    id: int
    name: str


def scenario_template() -> str:
    """Return the template of the text for a scenario in the page's language."""
    return f"citizen/consents/scenario-{SCENARIO_TEXT}.{locale()}.html"


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
