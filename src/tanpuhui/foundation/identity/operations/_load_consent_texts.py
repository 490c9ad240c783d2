from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.adapters.consent_text_files import read_consent_texts
from tanpuhui.foundation.identity.domain.consent_texts import TextRow
from tanpuhui.foundation.identity.models import ConsentText
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import RuleInForce, read_jurisdiction


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTextsLoaded:
    """How many versions were new; zero when the folder was loaded before."""

    code: str
    texts: int


@operation(roles={Role.SYSTEM_ADMINISTRATOR}, subject="jurisdiction:{code}")
def load_consent_texts(*, actor: Actor, at: datetime, folder: Path) -> ConsentTextsLoaded:
    """Load the wordings that people consent to, all or nothing.

    A version once loaded is not changed in place: another text is another version. Raises JurisdictionInvalid, RuleInForce.
    """
    lock_names("identity:consent-texts")
    rows = read_consent_texts(folder)
    return ConsentTextsLoaded(code=read_jurisdiction(folder).code, texts=sum(_load(row) for row in rows))


def _load(row: TextRow) -> int:
    of_purpose = ConsentText.objects.filter(purpose=row.purpose)
    found = (
        of_purpose.filter(version=row.version).first() or of_purpose.filter(valid_from=row.valid_from).first()
    )
    if found is not None:
        if found.sha256 != row.sha256():
            raise RuleInForce(
                what=f"consents/{row.purpose}-{row.version}", since=found.valid_from.isoformat()
            )
        return 0
    ConsentText.objects.create(
        purpose=row.purpose,
        version=row.version,
        valid_from=row.valid_from,
        sections_zh=row.zh,
        sections_en=row.en,
        sha256=row.sha256(),
    )
    return 1
