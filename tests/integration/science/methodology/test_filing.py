"""From files to a filed version: exact bytes, one committee, one filing number, one leaf."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings
from tests.integration.foundation.workflow.corruption import corrupt
from tests.integration.science.methodology.conftest import FILING, files, parameter_set, settle, somebody

from tanpuhui.books.transparency import queries as transparency
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import CaseAlreadyOpen, decide
from tanpuhui.science.engine import MethodologyError, VersionBlocked
from tanpuhui.science.methodology import queries
from tanpuhui.science.methodology.operations import (
    ArchiveChanged,
    NotDecided,
    TestParametersRefused,
    VersionImported,
    WrongVersionState,
    file_version,
    import_archive,
    import_library,
    import_version,
    propose_filing,
)
from tanpuhui.science.methodology.queries import NoFiledMethodology

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]


def take_in(at: datetime, *, purpose: str | None = "demonstration") -> VersionImported:
    given = parameter_set(purpose) if purpose else None
    return import_version(actor=somebody(Role.MAKER), at=at, files=files(), parameter_set=given)


def test_the_same_bytes_are_the_same_version_and_other_values_are_another(now: datetime) -> None:
    first = take_in(now)
    assert take_in(now) == first
    other = take_in(now, purpose=None)
    assert other.version_id != first.version_id
    assert other.archive_sha256 == first.archive_sha256
    assert [(v.state, v.purpose) for v in queries.library()] == [
        ("draft", "operation"),
        ("draft", "demonstration"),
    ]


def test_the_files_come_back_byte_for_byte_and_the_download_can_be_taken_in(now: datetime) -> None:
    version = take_in(now, purpose=None)
    assert queries.files(version.version_id) == files()
    content = queries.archive_bytes(version.version_id)
    assert import_archive(actor=somebody(Role.EXPERT), at=now, content=content) == version


def test_the_engines_refusal_is_passed_on_with_its_place(now: datetime) -> None:
    broken = {
        **files(),
        "methodology.yaml": files()["methodology.yaml"].replace("里程 * 因子".encode(), "里程 * ".encode()),
    }
    with pytest.raises(MethodologyError) as refused:
        import_version(actor=somebody(Role.MAKER), at=now, files=broken)
    assert refused.value.file == "methodology.yaml"
    assert refused.value.line > 1
    assert queries.library() == ()


def test_files_that_are_no_text_are_named_and_not_a_crash(now: datetime) -> None:
    with pytest.raises(MethodologyError):
        import_version(actor=somebody(Role.MAKER), at=now, files={"methodology.yaml": b"\xff\xfe\x00"})


def test_a_citizen_imports_nothing(now: datetime) -> None:
    with pytest.raises(NotPermitted):
        import_version(actor=somebody(Role.CITIZEN), at=now, files=files())


def test_filing_binds_the_bytes_to_a_number_and_a_leaf(now: datetime) -> None:
    version = take_in(now)
    case_id = settle(version.version_id, at=now, steps=FILING)
    filed = queries.filed_version(scenario="trial", day=date(2026, 11, 20))
    assert (filed.id, filed.filing_number, filed.purpose) == (
        version.version_id,
        "MU-FA-2026-0001",
        "demonstration",
    )
    view = queries.version(version.version_id)
    assert view.leaf_id is not None
    leaf = transparency.leaf(view.leaf_id)
    assert leaf is not None
    assert (leaf.kind, leaf.subject) == ("filing", "MU-FA-2026-0001")
    assert leaf.payload["archive_sha256"] == version.archive_sha256
    assert leaf.payload["parameter_set_sha256"] == filed.parameter_set_sha256 != ""
    assert leaf.payload["case"] == workflow.case(case_id).number
    assert list(queries.breaches()) == []


def test_the_parameter_set_calculates_and_is_named(now: datetime) -> None:
    with_set, without = take_in(now), take_in(now, purpose=None)
    assert str(queries.loaded(with_set.version_id).parameter("factor").value) == "0.2"
    assert str(queries.loaded(without.version_id).parameter("factor").value) == "0.1"


def test_only_a_filed_version_is_found_and_only_from_its_first_day(now: datetime) -> None:
    version = take_in(now, purpose=None)
    day = date(2026, 11, 20)
    with pytest.raises(NoFiledMethodology):
        queries.filed_version(scenario="trial", day=day)
    settle(version.version_id, at=now, steps=FILING)
    assert queries.filed_version(scenario="trial", day=day).id == version.version_id
    with pytest.raises(NoFiledMethodology):
        queries.filed_version(scenario="trial", day=day - timedelta(days=1))
    with pytest.raises(NoFiledMethodology):
        queries.filed_version(scenario="other", day=day)


def test_a_revision_replaces_from_its_own_day_on(now: datetime) -> None:
    first = take_in(now, purpose=None)
    settle(first.version_id, at=now, steps=FILING)
    later = now + timedelta(days=10)
    second = take_in(later)
    settle(second.version_id, at=later, steps=FILING)
    assert queries.filed_version(scenario="trial", day=date(2026, 11, 29)).id == first.version_id
    assert queries.filed_version(scenario="trial", day=date(2026, 11, 30)).id == second.version_id
    assert queries.version(second.version_id).filing_number == "MU-FA-2026-0002"


def test_a_demonstration_may_reach_back_and_says_what_it_is(now: datetime) -> None:
    version = take_in(now)
    since = date(2026, 8, 1)
    case_id = propose_filing(
        actor=somebody(Role.MAKER), at=now, version_id=version.version_id, valid_from=since
    ).case_id
    for outcome, role in FILING:
        decide(
            actor=somebody(role),
            at=now,
            idempotency_key=None,
            case_id=case_id,
            outcome=outcome,
            opinion="同意",
        )
    assert queries.filed_version(scenario="trial", day=since).purpose == "demonstration"


def test_a_version_that_waits_for_a_value_can_be_read_but_not_proposed(now: datetime) -> None:
    version = import_version(actor=somebody(Role.MAKER), at=now, files=files(runnable=False))
    assert queries.version(version.version_id).blocked_by == ("factor",)
    with pytest.raises(VersionBlocked, match="factor"):
        propose_filing(actor=somebody(Role.MAKER), at=now, version_id=version.version_id)


def test_a_test_parameter_set_stays_in_the_test(now: datetime, settings: Settings) -> None:
    version = take_in(now, purpose="test")
    assert queries.version(version.version_id).purpose == "test"
    settings.TANPUHUI_ALLOW_TEST_PARAMETERS = False
    with pytest.raises(TestParametersRefused):
        take_in(now, purpose="test")
    with pytest.raises(TestParametersRefused):
        queries.loaded(version.version_id)
    assert take_in(now).code == "T01"


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ((), "proposed"),
        (FILING[:1], "reviewed"),
        ((("return", Role.EXPERT),), "returned"),
        ((FILING[0], ("reject", Role.REGULATOR)), "rejected"),
    ],
)
def test_a_version_follows_its_case(now: datetime, steps: tuple[tuple[str, Role], ...], state: str) -> None:
    version = take_in(now)
    settle(version.version_id, at=now, steps=steps)
    view = queries.version(version.version_id)
    assert (view.state, view.filing_number) == (state, None)


def test_a_version_is_not_proposed_twice_and_a_returned_one_can_be(now: datetime) -> None:
    version = take_in(now)
    settle(version.version_id, at=now, steps=())
    with pytest.raises((WrongVersionState, CaseAlreadyOpen)):
        settle(version.version_id, at=now, steps=())
    other = take_in(now, purpose=None)
    settle(other.version_id, at=now, steps=(("return", Role.EXPERT),))
    settle(other.version_id, at=now, steps=FILING)
    assert queries.version(other.version_id).state == "filed"


def test_nobody_files_past_the_committee(now: datetime) -> None:
    version = take_in(now)
    case_id = settle(version.version_id, at=now, steps=FILING[:1])
    with pytest.raises(NotDecided):
        file_version(
            actor=somebody(Role.REGULATOR),
            at=now,
            case_id=case_id,
            subject_id=str(version.version_id),
            opinion="x",
        )
    assert queries.version(version.version_id).state == "reviewed"


def test_a_shipped_library_comes_in_whole_and_again_changes_nothing(now: datetime) -> None:
    folder = Path(__file__).resolve().parents[4] / "methodologies"
    first = import_library(actor=SYSTEM, at=now, folder=folder)
    assert len(first.versions) == len(list(folder.rglob("methodology.yaml"))) > 0
    assert import_library(actor=SYSTEM, at=now, folder=folder) == first
    assert {view.state for view in queries.library()} == {"draft"}


def test_a_library_is_taken_in_whole_or_not_at_all(now: datetime, tmp_path: Path) -> None:
    for name, main in (("a", files()["methodology.yaml"]), ("b", b"schema: wrong")):
        (tmp_path / name / "factors").mkdir(parents=True)
        (tmp_path / name / "methodology.yaml").write_bytes(main)
        (tmp_path / name / "factors" / "trial.yaml").write_bytes(files()["factors/trial.yaml"])
    with pytest.raises(MethodologyError):
        import_library(actor=SYSTEM, at=now, folder=tmp_path)
    assert queries.library() == ()
    with pytest.raises(Invalid):
        import_library(actor=SYSTEM, at=now, folder=tmp_path / "nothing")


def test_an_unknown_version_is_named() -> None:
    for read in (queries.version, queries.loaded, queries.files):
        with pytest.raises(NotFound):
            read(10**9)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("archive = '\\x00'", "never change"),
        ("archive_sha256 = repeat('0', 64)", "never change"),
        ("parameter_set = null", "never change"),
        ("purpose = 'operation'", "never change"),
        ("valid_from = '2020-01-01'", "is filed as"),
        ("state = 'draft'", "is filed as"),
    ],
)
def test_the_database_keeps_a_filed_version(now: datetime, change: str, why: str) -> None:
    settle(take_in(now).version_id, at=now, steps=FILING)
    with pytest.raises(DatabaseError, match=why), connection.cursor() as cursor:
        cursor.execute(f"update methodology_methodologyversion set {change}")


def test_the_database_wants_a_filing_to_be_complete(now: datetime) -> None:
    take_in(now)
    with pytest.raises(DatabaseError, match="methodology_filed_is_complete"), connection.cursor() as cursor:
        cursor.execute("update methodology_methodologyversion set state = 'filed'")


def test_no_version_is_deleted(now: datetime) -> None:
    take_in(now)
    with pytest.raises(DatabaseError, match="Cannot"), connection.cursor() as cursor:
        cursor.execute("delete from methodology_methodologyversion")


@pytest.mark.parametrize(
    ("corruption", "invariant"),
    [
        ("archive = archive || '\\x00'", "methodology.archive_has_its_hash"),
        ("archive_sha256 = repeat('0', 64)", "methodology.archive_has_its_hash"),
        ("parameter_set = '\\x00'", "methodology.parameter_set_has_its_hash"),
        ("leaf_id = 999999", "methodology.filed_version_has_its_leaf"),
        ("filing_number = 'X'", "methodology.filed_version_has_its_leaf"),
    ],
)
def test_a_corrupted_version_is_found(now: datetime, corruption: str, invariant: str) -> None:
    settle(take_in(now).version_id, at=now, steps=FILING)
    assert list(queries.breaches()) == []
    corrupt(f"update methodology_methodologyversion set {corruption}")
    assert invariant in {breach.invariant for breach in queries.breaches()}


def test_bytes_without_their_hash_are_never_run_nor_filed(now: datetime) -> None:
    other = {**files(), "methodology.yaml": files()["methodology.yaml"] + b"# spoiled\n"}
    version = import_version(actor=somebody(Role.MAKER), at=now, files=other)
    corrupt("update methodology_methodologyversion set archive = archive || '\\x00'")
    with pytest.raises(ArchiveChanged):
        queries.loaded(version.version_id)
    with pytest.raises(ArchiveChanged):
        queries.files(version.version_id)
    point = transaction.savepoint()
    with pytest.raises(ArchiveChanged):
        propose_filing(actor=somebody(Role.MAKER), at=now, version_id=version.version_id)
    transaction.savepoint_rollback(point)


def test_a_version_is_read_from_its_bytes_once_per_process(now: datetime) -> None:
    version = take_in(now)
    assert queries.loaded(version.version_id) is queries.loaded(version.version_id)
