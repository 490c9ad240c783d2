from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.messages.adapters.template_files import read_templates
from tanpuhui.foundation.messages.domain import TemplateRow
from tanpuhui.foundation.messages.models import Template
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import RuleInForce, read_jurisdiction


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatesLoaded:
    """How many wordings were new; zero when the folder was loaded before."""

    code: str
    templates: int


@operation(roles={Role.SYSTEM_ADMINISTRATOR}, subject="jurisdiction:{code}")
def load_templates(*, actor: Actor, at: datetime, folder: Path) -> TemplatesLoaded:
    """Load the wordings of a jurisdiction's messages, all or nothing.

    A wording once loaded is not changed in place: another text begins on another day. Raises JurisdictionInvalid, RuleInForce.
    """
    lock_names("messages:load")
    rows = read_templates(folder)
    return TemplatesLoaded(code=read_jurisdiction(folder).code, templates=sum(_load(row) for row in rows))


def _load(row: TemplateRow) -> int:
    kind = row.kind
    found = Template.objects.filter(key=row.key, valid_from=kind.valid_from).first()
    if found is not None:
        if found.definition_sha256 != row.sha256():
            raise RuleInForce(what=f"messages/{kind.kind}: {row.key}", since=found.valid_from.isoformat())
        return 0
    Template.objects.create(
        key=row.key,
        kind=kind.kind,
        label_zh=kind.label_zh,
        label_en=kind.label_en,
        audience=kind.audience.value,
        mail=kind.mail.value,
        sms=kind.sms.value,
        valid_from=kind.valid_from,
        fields=list(row.fields),
        title_zh=row.title_zh,
        title_en=row.title_en,
        body_zh=row.body_zh,
        body_en=row.body_en,
        sms_zh=row.sms_zh,
        link=row.link,
        definition_sha256=row.sha256(),
    )
    return 1
