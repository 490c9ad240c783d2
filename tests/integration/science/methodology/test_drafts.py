"""A draft belongs to one organisation, keeps every saving apart, and becomes a version through the same gate as any other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from tests.integration.science.methodology.conftest import files, parameter_set, settle, somebody

from tanpuhui.foundation.identity.operations import OrganisationKind, register_organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.science.engine import MethodologyError, VersionBlocked
from tanpuhui.science.engine.authoring import PARAMETER_SET_FILE
from tanpuhui.science.methodology import queries
from tanpuhui.science.methodology.domain import DraftChanged, DraftNotOpen, TooManyDrafts
from tanpuhui.science.methodology.operations import (
    DraftSaved,
    close_draft,
    open_draft,
    propose_draft,
    save_draft,
)

pytestmark = pytest.mark.usefixtures("wired")
ORGANISATION = 7


def author(organisation_id: int = ORGANISATION, role: Role = Role.OWNER, number: str = "9") -> Actor:
    return Actor(
        kind="user", id=number, grants=(Grant(role=role, organisation_id=organisation_id, area="990000"),)
    )


def opened(now: datetime, *, key: str = "open", actor: Actor | None = None, **given: Any) -> DraftSaved:
    return open_draft(
        actor=actor or author(),
        at=now,
        idempotency_key=key,
        **{"files": files(), "organisation_id": ORGANISATION, **given},
    )


def saved(now: datetime, draft: DraftSaved, changes: dict[str, str | None], **given: Any) -> DraftSaved:
    key = f"save-{draft.revision}-{sorted(changes)}-{given.get('actor', 'me')}"
    return save_draft(
        **{
            "actor": author(),
            "at": now,
            "draft_id": draft.draft_id,
            "revision": draft.revision,
            "changes": changes,
            "idempotency_key": key[:100],
            **given,
        }
    )


def test_a_draft_holds_what_its_author_wrote_and_each_saving_is_a_revision(now: datetime) -> None:
    draft = opened(now)
    draft = saved(now, draft, {"text.zh.md": "# 说明\r\n", "methodology.yaml": "schema: half"})
    held = queries.draft_files(draft.draft_id)
    assert held.files["text.zh.md"] == "# 说明\n".encode()
    assert held.files["methodology.yaml"] == b"schema: half"
    assert queries.draft(draft.draft_id).revision == 2
    draft = saved(now, draft, {"text.zh.md": None})
    assert "text.zh.md" not in queries.draft_files(draft.draft_id).files


def test_the_second_of_two_savers_is_told_and_overwrites_nothing(now: datetime) -> None:
    draft = opened(now)
    saved(now, draft, {"a.md": "first"})
    with pytest.raises(DraftChanged) as refused:
        saved(now, draft, {"a.md": "second"}, actor=author(number="10"))
    assert refused.value.data["revision"] == 2
    assert queries.draft_files(draft.draft_id).files["a.md"] == b"first"


def test_the_parameter_set_stands_beside_the_archive(now: datetime) -> None:
    draft = opened(now)
    before = draft.archive_sha256
    draft = saved(now, draft, {PARAMETER_SET_FILE: parameter_set("operation").decode()})
    assert draft.archive_sha256 == before
    assert queries.draft_files(draft.draft_id).parameter_set == parameter_set("operation")


@pytest.mark.parametrize("path", ["../x.yaml", "/etc/passwd", "a/b/c/d.yaml", ".hidden"])
def test_a_path_that_could_lead_elsewhere_is_refused(path: str, now: datetime) -> None:
    with pytest.raises(MethodologyError, match="not allowed"):
        saved(now, opened(now), {path: "x"})


def test_a_file_that_is_too_big_is_refused(now: datetime) -> None:
    with pytest.raises(MethodologyError):
        saved(now, opened(now), {"a.md": "x" * 600_000})


def test_nobody_of_another_organisation_writes_a_draft(now: datetime) -> None:
    draft = opened(now)
    with pytest.raises(NotPermitted):
        saved(now, draft, {"a.md": "x"}, actor=author(8))
    with pytest.raises(NotPermitted):
        opened(now, key="other", actor=author(8))
    with pytest.raises(NotPermitted):
        opened(now, key="verifier", actor=author(role=Role.VERIFIER))
    with pytest.raises(NotFound):
        saved(now, DraftSaved(draft_id=10**9, revision=1, archive_sha256=""), {"a.md": "x"})


def test_a_draft_that_was_given_up_is_kept_and_not_written(now: datetime) -> None:
    draft = opened(now)
    close_draft(
        actor=author(), at=now, draft_id=draft.draft_id, revision=draft.revision, idempotency_key="close"
    )
    with pytest.raises(DraftNotOpen):
        saved(now, draft, {"a.md": "x"})
    assert [view.state for view in queries.drafts(organisation_ids=(ORGANISATION,))] == ["closed"]


def test_an_organisation_has_only_so_many_open_drafts(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tanpuhui.science.methodology.operations._draft.DRAFTS_OPEN_MAX", 2)
    opened(now, key="1")
    opened(now, key="2")
    with pytest.raises(TooManyDrafts):
        opened(now, key="3")


def test_a_proposed_draft_is_a_version_before_the_committee_and_is_not_written_any_more(
    now: datetime,
) -> None:
    owner_id = register_organisation(
        actor=SYSTEM,
        at=now,
        kind=OrganisationKind.OWNER,
        name="试验业主",
        name_en="Trial owner",
        uscc=complete_uscc("91990000", "MA000201"),
        area="990000",
    ).organisation_id
    draft = opened(now, actor=author(owner_id), organisation_id=owner_id)
    done = propose_draft(
        actor=author(owner_id),
        at=now,
        draft_id=draft.draft_id,
        revision=draft.revision,
        idempotency_key="propose",
    )
    version = queries.version(done.version_id)
    assert (version.state, version.case_id, version.archive_sha256) == (
        "proposed",
        done.case_id,
        draft.archive_sha256,
    )
    assert queries.draft(draft.draft_id).version_id == done.version_id
    with pytest.raises(DraftNotOpen):
        saved(now, draft, {"a.md": "x"}, actor=author(owner_id))


def test_a_draft_with_faults_or_without_values_is_not_proposed(now: datetime) -> None:
    blocked = opened(now, key="blocked", files=files(runnable=False))
    faulty = opened(now, key="faulty", files={"methodology.yaml": b"schema: half"})
    for draft, refusal in ((blocked, VersionBlocked), (faulty, MethodologyError)):
        with pytest.raises(refusal):
            propose_draft(
                actor=author(), at=now, draft_id=draft.draft_id, revision=1, idempotency_key="propose"
            )
        assert queries.draft(draft.draft_id).state == "open"
    assert queries.library() == ()


def test_a_draft_may_begin_with_a_filed_version_and_its_values(now: datetime) -> None:
    from tanpuhui.science.methodology.operations import import_version

    imported = import_version(
        actor=somebody(Role.MAKER), at=now, files=files(), parameter_set=parameter_set("operation")
    )
    settle(imported.version_id, at=now, steps=())
    draft = opened(
        now,
        files=queries.files(imported.version_id),
        parameter_set=queries.parameter_set_bytes(imported.version_id),
        based_on_id=imported.version_id,
    )
    view = queries.draft(draft.draft_id)
    assert (view.based_on_id, view.archive_sha256) == (imported.version_id, imported.archive_sha256)
