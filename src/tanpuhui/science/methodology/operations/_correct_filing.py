"""A corrected version takes the place of the returned one inside its case (补正稿)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.science.methodology.domain import DraftState, VersionState, WrongVersionState
from tanpuhui.science.methodology.models import FilingVersion
from tanpuhui.science.methodology.operations._draft import DRAFTERS, locked_draft
from tanpuhui.science.methodology.operations._import_version import IMPORTERS, import_archive
from tanpuhui.science.methodology.operations._review import require_applicant
from tanpuhui.science.methodology.operations._settle_filing import locked_filing
from tanpuhui.science.methodology.operations._settle_version import become, locked
from tanpuhui.science.methodology.queries import filing_to_correct, loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingCorrected:
    """A corrected version stands in the place of the one before; the case still has to be handed in again."""

    filing_id: int
    case_id: int
    version_id: int
    replaced_version_id: int


@operation(roles=IMPORTERS, subject="methodology_version:{version_id}")
def correct_filing(*, actor: Actor, at: datetime, filing_id: int, version_id: int) -> FilingCorrected:
    """Put a corrected version (an imported draft of the same methodology) in the place of the returned one.

    The subject of the case is the filing, so number, history, panel and remarks stay in one place; the version before is
    kept as `replaced`. The case is handed in again by its own decision `resubmit`.
    Raises NotFound, NotPermitted, WrongVersionState, VersionBlocked, Invalid.
    """
    filing = locked_filing(filing_id)
    if filing.case_id is None:
        raise Invalid(field="filing_id", why="没有案件 / it has no case")
    require_applicant(actor, case_id=filing.case_id, operation="methodology.correct_filing")
    before = locked(filing.version_id)
    corrected = locked(version_id)
    if corrected.pk == before.pk:
        raise Invalid(field="version_id", why="内容没有变化 / these are the same bytes")
    if (corrected.code, corrected.scenario) != (before.code, before.scenario):
        raise Invalid(field="version_id", why="不是同一个方法学 / it is another methodology")
    if corrected.state != VersionState.DRAFT:
        raise WrongVersionState(
            code=corrected.code, version=corrected.version, state=corrected.state, target="returned"
        )
    loaded(version_id).require_runnable()
    become(before, VersionState.REPLACED)
    before.save(update_fields=["state"])
    corrected.state = VersionState.RETURNED.value
    corrected.case_id, corrected.proposed_from = filing.case_id, before.proposed_from
    corrected.save(update_fields=["state", "case_id", "proposed_from"])
    filing.version = corrected
    filing.save(update_fields=["version"])
    FilingVersion.objects.create(
        filing=filing,
        seq=filing.versions.count() + 1,
        version=corrected,
        submitted_at=at,
        submitted_by=actor.id,
    )
    return FilingCorrected(
        filing_id=filing.pk,
        case_id=filing.case_id,
        version_id=corrected.pk,
        replaced_version_id=before.pk,
    )


@operation(roles=DRAFTERS, subject="methodology_draft:{draft_id}")
def correct_filing_by_draft(
    *, actor: Actor, at: datetime, draft_id: int, revision: int, idempotency_key: str
) -> DraftCorrected:
    """Take a draft in as the corrected version of the returned filing that it is based on, both or neither.

    Raises as `save_draft`, `import_archive` and `correct_filing`.
    """
    draft = locked_draft(actor, draft_id, revision)
    filing = filing_to_correct(based_on_id=draft.based_on_id, organisation_id=draft.organisation_id)
    if filing is None:
        raise Invalid(
            field="draft_id",
            why="草稿不是由退回补正的版本开始的 / the draft is based on no returned version",
        )
    parameter_set = None if draft.parameter_set is None else bytes(draft.parameter_set)
    imported = import_archive(actor=actor, at=at, content=bytes(draft.archive), parameter_set=parameter_set)
    done = correct_filing(actor=actor, at=at, filing_id=filing.filing_id, version_id=imported.version_id)
    draft.state, draft.version_id = DraftState.PROPOSED.value, imported.version_id
    draft.save(update_fields=["state", "version_id"])
    return DraftCorrected(draft_id=draft_id, version_id=imported.version_id, case_id=done.case_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftCorrected:
    """A draft became the corrected version of a filing."""

    draft_id: int
    version_id: int
    case_id: int
