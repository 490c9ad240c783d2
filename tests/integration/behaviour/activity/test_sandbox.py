"""A sample goes the way of a batch up to the grams, and not one row outside the sandbox changes."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import DatabaseError, connection, transaction
from tests.integration.behaviour.activity.town import (
    CITY,
    DEMONSTRATION,
    HUANGHAI,
    METHODOLOGIES,
    Town,
    build,
    bus,
    csv,
)

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain.applications import (
    DataField,
    Exclusion,
    ScenarioContent,
    feed_definition_sha256,
)
from tanpuhui.behaviour.activity.domain.quality import (
    DefinitionIncomplete,
    SampleMissing,
    SampleNotPassed,
    SampleOutdated,
    SampleRowsGone,
    SampleTooLarge,
)
from tanpuhui.behaviour.activity.models import Sample
from tanpuhui.behaviour.activity.operations import (
    SampleTried,
    accept_sample,
    erase_due_samples,
    erase_sample,
    open_application,
    save_application,
    try_sample,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.science.methodology.operations import import_version

pytestmark = pytest.mark.django_db
MAKER = Actor(kind="user", id="9009", grants=(Grant(role=Role.MAKER, area="990100"),))
ELSEWHERE = Actor(kind="user", id="9010", grants=(Grant(role=Role.MAKER, area="990200"),))
STRANGER = Actor(
    kind="partner", id="77", grants=(Grant(role=Role.PARTNER, organisation_id=77, area="990000"),)
)
SANDBOX = {
    "activity_sample",
    "activity_sample_acceptance",
    "activity_scenario_application",
    "activity_scenario_application_version",
}
RECORD_OF_THE_ACT = {"audit_auditrecord"}
"""The audit says that a sample was tried, by whom and when; it holds nothing of it."""


def content(**changes: object) -> ScenarioContent:
    said = ScenarioContent(
        code="bus",
        name_zh="公交",
        name_en="Bus",
        scenario_class="everyday",
        area="990000",
        behaviour="乘坐公交车。",
        methodology_code="A01",
        fields=tuple(
            DataField(code=code, meaning=code, purpose="核算", required=required)
            for code, required in (
                ("record_id", True), ("subject", True), ("scenario", True), ("started_at", True), ("ended_at", False),
                ("area", True), ("distance_km", False), ("duration_s", False), ("vehicle_type", False),
            )
        ),
        records_per_day=1_000,
        adapter="standard",
        evidence_tier=1,
        evidence_note="运营方记录",
        excluded_from=tuple(one.value for one in Exclusion),
    )  # fmt: skip
    return replace(said, **changes)  # type: ignore[arg-type]


def apply(town: Town, at: datetime, **changes: object) -> int:
    return open_application(
        actor=town.partner,
        at=at,
        organisation_id=town.partner_id,
        content=content(**changes),
        idempotency_key="apply",
    ).application_id


def tried(
    town: Town, application_id: int, file: bytes, *, at: datetime, name: str = "sample.csv", key: str = "s1"
) -> SampleTried:
    return try_sample(
        actor=town.partner, at=at, application_id=application_id, file_name=name, media_type="text/csv",
        content=file, idempotency_key=key,
    )  # fmt: skip


def rides(n: int, **changes: str) -> list[str]:
    return [bus(f"R{i}", f"P{i % 3}", **changes) for i in range(n)]


@pytest.fixture
def town(db: None) -> Town:
    """Build a town in which nobody has an account: the sandbox needs no person."""
    return build(subjects=(), with_accounts=False)


@pytest.fixture
def ruled(town: Town, now: datetime) -> Town:
    load_jurisdiction(actor=SYSTEM, at=now, folder=HUANGHAI, packs=("base", "demonstration"))
    return town


def every_table() -> Mapping[str, tuple[int, str]]:
    """Return the number of rows and a hash over all rows of every table of the platform."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'public'")
        names = sorted(row[0] for row in cursor.fetchall())
        for name in names:
            cursor.execute(
                f'select count(*), md5(string_agg(t::text, chr(10) order by t::text)) from "{name}" as t'
            )
            found[name] = cursor.fetchone()
    return found


def test_nothing_outside_the_sandbox_changes(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    before = every_table()
    tried(ruled, application_id, csv(*rides(4), bus("R0", distance="-1")), at=now)
    after = every_table()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"activity_sample"} | RECORD_OF_THE_ACT
    assert changed - RECORD_OF_THE_ACT <= SANDBOX


def test_what_watches_the_tables_notices_a_booking(ruled: Town, now: datetime) -> None:
    before = every_table()
    ruled.post(csv(bus("R1", "P1")), at=now)
    after = every_table()
    assert "activity_row_outcome" in {name for name in after if after[name] != before[name]}


def test_a_sample_gives_the_grams_that_posting_would(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    found = tried(ruled, application_id, csv(*rides(3)), at=now)
    view = queries.sample(found.sample_id)
    assert (found.rows, found.counted, view.report.grams) == (3, 3, 3 * 436)
    assert [row.grams for row in queries.sample_rows(found.sample_id)] == [436, 436, 436]
    explained = queries.explain_sample_row(found.sample_id, 2)
    assert explained.grams is not None
    assert explained.grams.value == 436
    assert (view.verdict, view.report.score) == ("passed", Fraction(1))


def test_every_measure_is_an_exact_count(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    lines = [
        *rides(6),
        bus("R0", "P0"),
        bus("N1", distance="-8.4"),
        bus("N2", distance="8400"),
        bus("N3", started="2026-11-30T08:00:00+08:00"),
        "broken",
        bus("N4", started="2026-11-18 08:00:00", distance=""),
    ]
    view = queries.sample(tried(ruled, application_id, csv(*lines), at=now).sample_id)
    report = view.report
    assert report.rows == 12
    assert {one.code: one.rows for one in report.reasons} == {
        "BAD_ROW": 1, "DUPLICATE_IN_FILE": 1, "FUTURE_TIME": 1, "NEGATIVE_DISTANCE": 1, "OUT_OF_BOUNDS": 1,
        "PARAMETER_UNSET": 1,
    }  # fmt: skip
    share = {one.measure: one.share.fraction for one in report.components}
    assert share["readable"] == Fraction(11, 12)
    assert share["unique"] == Fraction(11, 12)
    assert share["valid"] == Fraction(7, 11), "the row that only lacks a value of the scheme is left out"
    (distance,) = [one for one in report.plausibility if one.field == "distance_km"]
    assert (distance.outside, distance.thousandfold) == (1, 1)
    assert (distance.median, distance.largest) == ("8.400", "8400.000")
    assert report.encoding.unzoned_rows == 1
    filled = {one.field: (one.filled.part, one.filled.whole) for one in report.completeness}
    assert filled["distance_km"] == (10, 11)
    assert report.timeliness is not None
    assert report.timeliness.median_minutes == 2 * 24 * 60 + 2 * 60
    assert view.verdict == "failed"


def test_without_rules_a_person_judges_and_says_so(town: Town, now: datetime) -> None:
    application_id = apply(town, now)
    found = tried(town, application_id, csv(*rides(3)), at=now)
    assert found.verdict == "undecided"
    assert queries.sample(found.sample_id).report.score is None
    with pytest.raises(SampleNotPassed):
        queries.sample_in_force(application_id)
    accept_sample(
        actor=MAKER, at=now, sample_id=found.sample_id, reason="抽查 20 行无误", idempotency_key="a"
    )
    assert queries.sample_in_force(application_id).id == found.sample_id


def test_a_column_that_was_not_declared_fails_the_sample(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    file = csv(*rides(3)).decode().replace("vehicle_type", "vehicle_type,phone", 1).splitlines()
    sent = "\n".join([file[0], *(f"{line},13900000000" for line in file[1:]), ""]).encode()
    view = queries.sample(tried(ruled, application_id, sent, at=now).sample_id)
    assert [one.name for one in view.report.columns if not one.declared] == ["phone"]
    assert [one.code for one in view.report.checks if one.met is False] == ["declared_only"]
    assert "13900000000" not in str(Sample.objects.get(pk=view.id).report)


def test_json_and_compressed_samples_are_read_as_posting_reads_them(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    line = (
        '{"record_id": "J1", "subject": "P1", "scenario": "bus", "started_at": "2026-11-18T08:00:00+08:00", '
    )
    line += f'"area": "{CITY}", "distance_km": 8.4, "mood": "good"}}\n'
    found = tried(ruled, application_id, gzip.compress(line.encode()), at=now, name="sample.ndjson.gz")
    report = queries.sample(found.sample_id).report
    assert (report.rows, report.grams, report.encoding.compressed) == (1, 436, True)
    assert [one.name for one in report.columns if not one.declared] == ["mood"]


@pytest.mark.parametrize(
    ("file", "fault"),
    [(b"", "EMPTY_FILE"), (b"a,b\n1,2\n", "MISSING_COLUMN"), (b"\x1f\x8bno", "BAD_COMPRESSION")],
)
def test_a_file_that_cannot_be_read_gets_a_report_too(
    ruled: Town, now: datetime, file: bytes, fault: str
) -> None:
    found = tried(ruled, apply(ruled, now), file, at=now)
    view = queries.sample(found.sample_id)
    assert (view.verdict, view.report.fault, view.report.rows) == ("failed", fault, 0)


def test_a_sample_proves_the_definition_it_was_tried_under_and_no_other(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    with pytest.raises(SampleMissing):
        queries.sample_in_force(application_id)
    found = tried(ruled, application_id, csv(*rides(3)), at=now)
    assert queries.sample_in_force(application_id).id == found.sample_id
    save(ruled, application_id, 1, now, behaviour="说明改了")
    assert queries.sample_in_force(application_id).id == found.sample_id
    save(ruled, application_id, 2, now, evidence_tier=2)
    with pytest.raises(SampleMissing):
        queries.sample_in_force(application_id)
    with pytest.raises(SampleOutdated):
        accept_sample(actor=MAKER, at=now, sample_id=found.sample_id, reason="x", idempotency_key="a")
    assert feed_definition_sha256(content()) != feed_definition_sha256(content(evidence_tier=2))


def save(town: Town, application_id: int, version: int, at: datetime, **changes: object) -> None:
    save_application(
        actor=town.partner,
        at=at,
        application_id=application_id,
        version=version,
        content=content(**changes),
        idempotency_key=f"save{version}",
    )


def test_the_latest_sample_counts_so_a_later_failure_is_not_hidden(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    tried(ruled, application_id, csv(*rides(3)), at=now)
    tried(ruled, application_id, csv(*rides(3, distance="-1")), at=now, key="s2")
    with pytest.raises(SampleNotPassed):
        queries.sample_in_force(application_id)


def test_the_second_sample_stands_beside_the_first(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    tried(ruled, application_id, csv(*rides(3)), at=now)
    second = tried(ruled, application_id, csv(*rides(5, distance="4.2")), at=now, key="s2")
    changes = {one.measure: (one.before, one.now) for one in queries.sample(second.sample_id).report.changes}
    assert changes["rows"] == ("3", "5")
    assert changes["median:distance_km"] == ("8.400", "4.200")


def test_a_methodology_that_is_only_applied_for_can_be_tried_and_is_named_as_lacking(
    ruled: Town, now: datetime
) -> None:
    path = METHODOLOGIES / "a02-metro" / "1.0"
    import_version(
        actor=SYSTEM,
        at=now,
        files={str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()},
        parameter_set=DEMONSTRATION.read_bytes(),
    )
    application_id = apply(ruled, now, code="metro", methodology_code="A02")
    sample = csv(*rides(3)).replace(b",bus,", b",metro,")
    found = tried(ruled, application_id, sample, at=now)
    report = queries.sample(found.sample_id).report
    assert report.counted == 3
    assert report.grams > 0
    assert [(one.code, one.filed) for one in report.versions] == [("A02", False)]
    assert [one.code for one in report.preconditions] == ["METHODOLOGY_NOT_FILED"]


def test_without_any_methodology_nothing_is_calculated_and_nothing_passes(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now, code="walk", methodology_code="A99")
    found = tried(ruled, application_id, csv(*rides(3)).replace(b",bus,", b",walk,"), at=now)
    report = queries.sample(found.sample_id).report
    assert (found.verdict, report.counted) == ("failed", 0)
    assert [one.code for one in report.checks if one.met is False] == [
        "calculated",
        "valid_share_min",
        "score_min",
    ]
    assert [one.code for one in report.preconditions] == ["METHODOLOGY_MISSING"]


def test_who_may_try_and_accept(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    for actor in (STRANGER, ELSEWHERE):
        with pytest.raises(NotPermitted):
            try_sample(
                actor=actor, at=now, application_id=application_id, file_name="s.csv", media_type="text/csv",
                content=csv(*rides(3)), idempotency_key="x",
            )  # fmt: skip
    found = tried(ruled, application_id, csv(*rides(3)), at=now)
    with pytest.raises(NotPermitted):
        accept_sample(
            actor=ruled.partner, at=now, sample_id=found.sample_id, reason="自己看过", idempotency_key="a"
        )
    with pytest.raises(NotPermitted):
        accept_sample(actor=ELSEWHERE, at=now, sample_id=found.sample_id, reason="x", idempotency_key="a")


def test_a_small_file_that_unpacks_to_a_large_one_is_not_unpacked(ruled: Town, now: datetime) -> None:
    packed = gzip.compress(csv(*rides(2_000)))
    assert len(packed) < 65_536
    found = tried(ruled, apply(ruled, now), packed, at=now, name="sample.csv.gz")
    report = queries.sample(found.sample_id).report
    assert (report.fault, report.fault_at, found.verdict) == ("FILE_TOO_LARGE", "65536", "failed")


def test_a_sample_is_bounded_and_needs_a_definition(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    with pytest.raises(SampleTooLarge):
        tried(ruled, application_id, b"x" * 70_000, at=now)
    empty = open_application(
        actor=ruled.partner, at=now, organisation_id=ruled.partner_id, content=ScenarioContent(), idempotency_key="e"
    ).application_id  # fmt: skip
    with pytest.raises(DefinitionIncomplete):
        tried(ruled, empty, csv(*rides(3)), at=now)


def test_the_file_is_sealed_and_goes_when_its_time_is_over(ruled: Town, now: datetime) -> None:
    application_id = apply(ruled, now)
    found = tried(ruled, application_id, csv(*rides(3)), at=now)
    row = Sample.objects.get(pk=found.sample_id)
    assert row.content is not None
    assert b"record_id" not in bytes(row.content)
    assert erase_due_samples(actor=SYSTEM, at=now + timedelta(days=9)).erased == 0
    assert erase_due_samples(actor=SYSTEM, at=now + timedelta(days=10)).erased == 1
    gone = queries.sample(found.sample_id)
    assert (gone.verdict, gone.report.grams) == ("passed", 3 * 436)
    with pytest.raises(SampleRowsGone):
        queries.sample_rows(found.sample_id)
    assert queries.sample_in_force(application_id).id == found.sample_id


def test_without_a_retention_rule_a_person_erases(town: Town, now: datetime) -> None:
    application_id = apply(town, now)
    found = tried(town, application_id, csv(*rides(3)), at=now)
    assert erase_due_samples(actor=SYSTEM, at=now + timedelta(days=999)).erased == 0
    with pytest.raises(NotPermitted):
        erase_sample(actor=STRANGER, at=now, sample_id=found.sample_id, idempotency_key="e")
    erase_sample(actor=MAKER, at=now, sample_id=found.sample_id, idempotency_key="e")
    assert queries.sample(found.sample_id).erased_at == now


def test_a_report_cannot_be_rewritten_nor_erasing_undone(ruled: Town, now: datetime) -> None:
    found = tried(ruled, apply(ruled, now), csv(*rides(3)), at=now)
    for changes in (
        {"verdict": "failed"},
        {"report": {}},
        {"erased_at": now, "content": None, "rows": None, "verdict": "failed"},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            Sample.objects.filter(pk=found.sample_id).update(**changes)
    with pytest.raises(DatabaseError), transaction.atomic():
        Sample.objects.filter(pk=found.sample_id).delete()
    erase_sample(actor=MAKER, at=now, sample_id=found.sample_id, idempotency_key="e")
    with pytest.raises(DatabaseError), transaction.atomic():
        Sample.objects.filter(pk=found.sample_id).update(erased_at=None, content=b"x", rows=b"x")


def test_the_downloads_hold_every_row_and_no_formula(ruled: Town, now: datetime) -> None:
    found = tried(ruled, apply(ruled, now), csv(*rides(2), bus("=1+1")), at=now)
    lines = list(queries.sample_report_csv(found.sample_id))
    assert len(lines) == 4
    assert lines[1].startswith("2,counted,,,,436,")
    assert "FORMULA_CELL,record_id,'=1+1" in lines[3]


def test_explanations_keep_the_digits_as_sent(ruled: Town, now: datetime) -> None:
    found = tried(ruled, apply(ruled, now), csv(bus("R1", distance="8.401")), at=now)
    explained = queries.explain_sample_row(found.sample_id, 2)
    assert any(step.value == Decimal("8.401") for step in explained.steps if isinstance(step.value, Decimal))
