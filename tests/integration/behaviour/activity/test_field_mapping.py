"""A partner's own columns reach the books as the standard ones do, and only through a mapping that a sample has proved."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from tests.integration.behaviour.activity.test_sandbox import MAKER, content, tried
from tests.integration.behaviour.activity.town import CITY, HUANGHAI, LONG_AGO, Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain.applications import (
    ApplicationChanged,
    ApplicationNotEditable,
    ApplicationState,
)
from tanpuhui.behaviour.activity.domain.mappings import (
    MappingInvalid,
    MappingMissing,
    MappingNotLive,
    MappingOwnWork,
    MappingSource,
    MappingUnchanged,
    NotMapped,
)
from tanpuhui.behaviour.activity.domain.quality import DefinitionIncomplete, SampleMissing
from tanpuhui.behaviour.activity.models import (
    Batch,
    Feed,
    FieldMappingVersion,
    Posting,
    RecordChunk,
    RowOutcome,
    ScenarioApplication,
)
from tanpuhui.behaviour.activity.operations import (
    open_application,
    open_feed,
    post_batch,
    receive_batch,
    save_application,
    save_mapping,
    switch_mapping,
)
from tanpuhui.behaviour.activity.operations._open_scenario import put_in_force
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.foundation.rulebook.operations import load_jurisdiction

pytestmark = pytest.mark.django_db
OTHER_MAKER = Actor(kind="user", id="9011", grants=(Grant(role=Role.MAKER, area="990100"),))
MAPPING = f"""\
format: tanpuhui-field-mapping/1
file:
  encoding: gb18030
  delimiter: ";"
fields:
  record_id: {{column: 流水号}}
  subject: {{column: 会员}}
  started_at: {{columns: [日期, 时刻], time: "%Y/%m/%d %H:%M", zone: Asia/Tokyo}}
  area: {{column: 城区, codes: {{"东": "{CITY}"}}}}
  distance_km: {{column: 里程（米）, from_unit: m, to_unit: km, places: 1}}
"""
OWN_HEADER = "流水号;会员;日期;时刻;城区;里程（米）"


def own(
    record_id: str, subject: str = "S1", *, clock: str = "9:00", metres: str = "8400", place: str = "东"
) -> str:
    """Return a ride as the partner writes it: Tokyo's clock is an hour ahead."""
    return f"{record_id};{subject};2026/11/18;{clock};{place};{metres}"  # fmt: skip


def own_file(*lines: str, header: str = OWN_HEADER) -> bytes:
    return "\r\n".join([header, *lines, ""]).encode("gb18030")


@pytest.fixture
def town(now: datetime) -> Town:
    return build(subjects=("S1", "S2"))


def mapped_feed(town: Town, document: str = MAPPING) -> Feed:
    opened = open_feed(
        actor=SYSTEM, at=LONG_AGO, partner_id=town.partner_id, scenario="bus", adapter="mapped.bus", evidence_tier=1,
        mapping=document,
    )  # fmt: skip
    return Feed.objects.get(pk=opened.feed_id)


def books() -> dict[str, Any]:
    """Return what stands in the books and chunks, without the numbers of batch and posting."""
    with connection.cursor() as cursor:
        cursor.execute("select account_id, grams, points from ledger_balance order by 1")
        balances = cursor.fetchall()
    return {
        "postings": list(
            Posting.objects.order_by("id").values_list(
                "scenario", "month", "records", "grams", "points", "inputs_sha256", "results_sha256",
                "amounts_sha256", "traces_sha256",
            )
        ),
        "chunks": list(RecordChunk.objects.order_by("pk").values_list("bucket", "amounts", "traces")),
        "outcomes": list(
            RowOutcome.objects.order_by("row_number").values_list("row_number", "verdict", "reason")
        ),
        "balances": balances,
    }  # fmt: skip


def test_the_books_are_those_of_the_standard_file_of_the_same_rides(town: Town, now: datetime) -> None:
    mapped_feed(town)
    standard = csv(
        bus("R1"), bus("R2", "S2", started="2026-11-18T23:30:00+08:00", distance="0.5"), bus("R1"), bus("R3", "S9")
    )  # fmt: skip
    before = transaction.savepoint()
    done = town.post(standard, at=now)
    assert (done.rows, done.counted) == (4, 2)
    expected = books()
    transaction.savepoint_rollback(before)
    file = own_file(
        own("R1"), "R2;S2;2026/11/19;0:30;东;500", own("R1"), own("R3", "S9")
    )  # fmt: skip
    mapped = town.post(file, at=now, name="骑行.csv", adapter="mapped.bus")
    assert (mapped.rows, mapped.counted, mapped.grams, mapped.points) == (
        done.rows,
        done.counted,
        done.grams,
        done.points,
    )
    found = books()
    for part, value in expected.items():
        assert found[part] == value, part
    assert list(queries.breaches()) == []


def test_every_row_has_a_verdict_and_says_why_in_the_terms_of_the_file(town: Town, now: datetime) -> None:
    mapped_feed(town)
    done = town.post(
        own_file(own("R1"), own("R2", metres="8450"), own("R3", place="西"), own("R4", clock="8点"), own("R5", metres="-100")),
        at=now,
        adapter="mapped.bus",
    )  # fmt: skip
    assert (done.rows, done.counted) == (5, 1)
    found = RowOutcome.objects.order_by("row_number").values_list("row_number", "reason", "field", "value")
    assert list(found) == [
        (3, "CONVERSION_NOT_EXACT", "distance_km", "8450"),
        (4, "UNKNOWN_CODE", "area", "西"),
        (5, "BAD_TIME", "started_at", "2026/11/18 8点"),
        (6, "NEGATIVE_DISTANCE", "distance_km", "-0.1"),
    ]


def test_rows_to_correct_come_back_as_the_file_is_written_and_are_read_again(
    town: Town, now: datetime
) -> None:
    mapped_feed(town)
    first = town.receive(
        own_file(own("R1"), own("R2", metres="8450", subject="S2")), at=now, adapter="mapped.bus"
    )
    post_batch(actor=SYSTEM, at=now, batch_id=first)
    encoding = queries.encoding_to_correct(first)
    assert encoding == "gb18030"
    given = "".join(queries.rows_to_correct_csv(first))
    assert given.splitlines()[0] == f"{OWN_HEADER};corrects_row;corrects_field;corrects_reason"
    mended = given.replace("8450", "8400").encode(encoding)
    second = receive_batch(
        actor=town.partner, at=now, idempotency_key="mend", partner_id=town.partner_id, adapter="mapped.bus",
        file_name="again.csv", media_type="text/csv", content=mended, corrects=first,
    )  # fmt: skip
    post_batch(actor=SYSTEM, at=now, batch_id=second.batch_id)
    assert queries.rows_open(first) == 0


def test_a_file_is_read_with_the_mapping_that_was_in_force_when_it_came(town: Town, now: datetime) -> None:
    feed = mapped_feed(town)
    before = town.receive(own_file(own("R1")), at=now, adapter="mapped.bus", key="a")
    kilometres = MAPPING.replace("from_unit: m,", "from_unit: km,")
    put_in_force(feed, kilometres, actor=SYSTEM, at=now + timedelta(minutes=1))
    late = now + timedelta(minutes=2)
    after = town.receive(own_file(own("R2", metres="8.4")), at=late, adapter="mapped.bus", key="b")
    grams = [post_batch(actor=SYSTEM, at=late, batch_id=one).grams for one in (before, after)]
    assert grams == [Grams(436), Grams(436)]
    assert [Batch.objects.get(pk=one).mapping.version for one in (before, after)] == [1, 2]  # type: ignore[union-attr]


def test_a_feed_of_own_columns_opens_only_with_its_mapping(town: Town, now: datetime) -> None:
    said = {"actor": SYSTEM, "at": now, "partner_id": town.partner_id, "evidence_tier": 1}
    with pytest.raises(MappingMissing):
        open_feed(**said, scenario="bus", adapter="mapped.bus")
    with pytest.raises(Invalid):
        open_feed(**said, scenario="bus", adapter="mapped.bike", mapping=MAPPING)
    with pytest.raises(MappingInvalid):
        open_feed(**said, scenario="bus", adapter="mapped.bus", mapping="fields: {}")


@pytest.mark.parametrize(
    "sql", ["update activity_field_mapping set document = 'x'", "delete from activity_field_mapping"]
)
def test_a_mapping_that_was_in_force_cannot_be_changed(town: Town, sql: str) -> None:
    mapped_feed(town)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def corrupt(sql: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("set session_replication_role = origin")
    return {breach.invariant for breach in queries.breaches()}


def test_spoilt_mappings_are_found(town: Town, now: datetime) -> None:
    mapped_feed(town)
    town.receive(own_file(own("R1")), at=now, adapter="mapped.bus")
    assert list(queries.breaches()) == []
    found = corrupt("update activity_field_mapping set document = document || '# x'")
    assert found == {"activity.mapping_has_its_hash"}


@pytest.mark.parametrize("change", ["mapping_id = null", "received_at = '2001-01-01 00:00+00'"])
def test_a_batch_without_the_mapping_it_was_read_with_is_found(
    town: Town, now: datetime, change: str
) -> None:
    mapped_feed(town)
    town.receive(own_file(own("R1")), at=now, adapter="mapped.bus")
    assert "activity.batch_has_its_mapping" in corrupt(f"update activity_batch set {change}")


# The way to going live.


def apply(town: Town, at: datetime, **changes: object) -> int:
    said = content(adapter="mapped", **changes)
    kept = {"record_id", "subject", "scenario", "started_at", "area", "distance_km"}
    said = replace(said, fields=tuple(field for field in said.fields if field.code in kept))
    return open_application(
        actor=town.partner, at=at, organisation_id=town.partner_id, content=said, idempotency_key="apply"
    ).application_id


def save(town: Town, application_id: int, document: str, *, at: datetime, version: int, **more: Any) -> int:
    done = save_mapping(
        actor=more.get("actor", town.partner), at=at, application_id=application_id, version=version,
        document=document, idempotency_key=f"m{version}{more.get('key', '')}",
    )  # fmt: skip
    return done.version


def rides(n: int, **changes: str) -> list[str]:
    return [own(f"R{i}", f"S{i % 3}", **changes) for i in range(n)]


def ruled(now: datetime) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=HUANGHAI, packs=("base", "demonstration"))


def test_a_sample_proves_exactly_the_mapping_it_was_tried_with(town: Town, now: datetime) -> None:
    ruled(now)
    application_id = apply(town, now)
    with pytest.raises(DefinitionIncomplete):
        tried(town, application_id, own_file(own("R1")), at=now)
    version = save(town, application_id, MAPPING, at=now, version=1)
    done = tried(town, application_id, own_file(*rides(60)), at=now)
    assert (done.rows, done.counted, done.verdict) == (60, 60, "passed")
    assert queries.sample_in_force(application_id).id == done.sample_id
    save(town, application_id, MAPPING.replace("places: 1", "places: 2"), at=now, version=version)
    with pytest.raises(SampleMissing):
        queries.sample_in_force(application_id)


def test_a_column_that_the_mapping_does_not_read_fails_the_sample(town: Town, now: datetime) -> None:
    ruled(now)
    application_id = apply(town, now)
    save(town, application_id, MAPPING, at=now, version=1)
    lines = [f"{ride};13900000000" for ride in rides(60)]
    done = tried(town, application_id, own_file(*lines, header=f"{OWN_HEADER};手机"), at=now)
    assert done.verdict == "failed"
    told = {one.name: one.declared for one in queries.sample(done.sample_id).report.columns}
    assert [name for name, declared in told.items() if not declared] == ["手机"]


def test_the_description_can_change_and_the_mapping_stays(town: Town, now: datetime) -> None:
    application_id = apply(town, now)
    version = save(town, application_id, MAPPING, at=now, version=1)
    shown = queries.application(application_id).content
    save_application(
        actor=town.partner, at=now, application_id=application_id, version=version,
        content=replace(shown, behaviour="坐公交车。", mapping=""), idempotency_key="text",
    )  # fmt: skip
    assert queries.application(application_id).content.mapping == MAPPING


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("places: 1", "places: 9", "最多"),
        ("to_unit: km", "to_unit: m", "单位应换算成 km"),
        ("fields:", "fields:\n  duration_s: {column: 用时}", "没有列在要报送的列里"),
    ],
)
def test_a_mapping_that_the_methodology_cannot_use_is_named_before_the_sandbox(
    town: Town, now: datetime, old: str, new: str, words: str
) -> None:
    application_id = apply(town, now)
    save(town, application_id, MAPPING.replace(old, new), at=now, version=1)
    lacking = queries.application_lacks(queries.application(application_id).content, at=now)
    assert [words in one.zh for one in lacking if one.field == "mapping"] == [True]


def test_what_is_no_mapping_is_not_saved_and_a_submitted_one_not_changed(town: Town, now: datetime) -> None:
    application_id = apply(town, now)
    with pytest.raises(MappingInvalid):
        save(town, application_id, "fields: {}", at=now, version=1)
    save(town, application_id, MAPPING, at=now, version=1)
    with pytest.raises(ApplicationChanged):
        save(town, application_id, MAPPING, at=now, version=1, key="again")
    ScenarioApplication.objects.update(state=ApplicationState.APPLIED, case_id=1)
    with pytest.raises(ApplicationNotEditable):
        save(town, application_id, MAPPING, at=now, version=2)


def test_a_standard_application_has_no_mapping(town: Town, now: datetime) -> None:
    opened = open_application(
        actor=town.partner, at=now, organisation_id=town.partner_id, content=content(mapping=MAPPING),
        idempotency_key="apply",
    )  # fmt: skip
    assert queries.application(opened.application_id).content.mapping == ""
    with pytest.raises(NotMapped):
        save(town, opened.application_id, MAPPING, at=now, version=1)


@pytest.fixture
def live(town: Town, now: datetime) -> int:
    """Return an application whose feed is live with version 1 of its mapping."""
    ruled(now)
    application_id = apply(town, now)
    version = save(town, application_id, MAPPING, at=now, version=1)
    sample = tried(town, application_id, own_file(*rides(60)), at=now, key="first")
    opened = open_feed(
        actor=SYSTEM, at=now, partner_id=town.partner_id, scenario="bus", adapter="mapped.bus", evidence_tier=1,
        mapping=MAPPING,
        mapping_source=MappingSource(
            application_id=application_id, application_version=version, sample_id=sample.sample_id
        ),
    )  # fmt: skip
    ScenarioApplication.objects.filter(pk=application_id).update(
        state=ApplicationState.LIVE,
        case_id=1,
        feed_id=opened.feed_id,
        scenario_id=Feed.objects.get(pk=opened.feed_id).scenario_id,
    )
    return application_id


def switch(application_id: int, version: int, at: datetime, actor: Actor = MAKER) -> int:
    done = switch_mapping(
        actor=actor, at=at, application_id=application_id, version=version,
        idempotency_key=f"s{version}{actor.id}{at}",
    )  # fmt: skip
    return done.mapping_version


KILOMETRES = MAPPING.replace("from_unit: m,", "from_unit: km,")


def test_a_changed_mapping_is_not_in_force_before_its_sample_passed_and_another_person_says_so(
    town: Town, now: datetime, live: int
) -> None:
    version = save(town, live, KILOMETRES, at=now, version=2)
    with pytest.raises(SampleMissing):
        switch(live, version, now)
    done = town.post(own_file(own("R1")), at=now, adapter="mapped.bus", key="a")
    assert (done.counted, FieldMappingVersion.objects.count()) == (1, 1)
    proof = tried(town, live, own_file(*rides(60, metres="8.4")), at=now, key="second")
    assert proof.verdict == "passed"
    with pytest.raises(NotPermitted):
        switch(live, version, now, actor=town.partner)
    late = now + timedelta(minutes=1)
    assert switch(live, version, late) == 2
    after = town.post(own_file(own("R2", metres="8.4")), at=late, adapter="mapped.bus", key="b")
    assert after.grams == done.grams
    stands = queries.mapping_versions(Feed.objects.get(adapter="mapped.bus").pk)
    assert [(one.version, one.application_version, one.sample_id) for one in stands] == [
        (2, version, proof.sample_id),
        (1, 2, stands[1].sample_id),
    ]
    with pytest.raises(MappingUnchanged):
        switch(live, version, late + timedelta(minutes=1))
    assert list(queries.breaches()) == []


def test_who_wrote_a_mapping_does_not_put_it_in_force(town: Town, now: datetime, live: int) -> None:
    version = save(town, live, KILOMETRES, at=now, version=2, actor=MAKER)
    tried(town, live, own_file(*rides(60, metres="8.4")), at=now, key="second")
    with pytest.raises(MappingOwnWork):
        switch(live, version, now)
    assert switch(live, version, now + timedelta(minutes=1), actor=OTHER_MAKER) == 2


def test_only_a_live_feed_is_switched_and_only_as_it_was_seen(town: Town, now: datetime, live: int) -> None:
    save(town, live, KILOMETRES, at=now, version=2)
    with pytest.raises(ApplicationChanged):
        switch(live, 2, now)
    ScenarioApplication.objects.filter(pk=live).update(state=ApplicationState.APPLIED)
    with pytest.raises(MappingNotLive):
        switch(live, 3, now)


def test_strangers_neither_write_nor_switch_a_mapping(town: Town, now: datetime, live: int) -> None:
    stranger = Actor(kind="partner", id="77", grants=(Grant(role=Role.PARTNER, organisation_id=77),))
    elsewhere = Actor(kind="user", id="9012", grants=(Grant(role=Role.MAKER, area="990200"),))
    for actor in (stranger, elsewhere):
        with pytest.raises(NotPermitted):
            save(town, live, KILOMETRES, at=now, version=2, actor=actor)
    with pytest.raises(NotPermitted):
        switch(live, 2, now, actor=elsewhere)


def test_the_preview_shows_source_and_result_side_by_side(town: Town, now: datetime) -> None:
    seen = queries.preview_mapping(
        document=MAPPING, scenario="bus", file_name="a.csv", media_type="text/csv", at=now,
        content=own_file(own("R1"), "zu;wenig", own("R3", place="西"), *rides(30)),
    )  # fmt: skip
    assert len(seen.rows) == queries.PREVIEW_ROWS
    first, second, third = seen.rows[:3]
    assert {cell.code: (cell.source, cell.value) for cell in first.cells} == {
        "record_id": ("R1", "R1"),
        "subject": ("S1", "S1"),
        "started_at": ("2026/11/18 9:00", "2026-11-18T09:00:00+09:00"),
        "area": ("东", CITY),
        "distance_km": ("8400", "8.4"),
    }
    assert (second.row_number, second.reason) == (3, "BAD_ROW")
    assert [(cell.code, cell.reason) for cell in third.cells if cell.reason] == [("area", "UNKNOWN_CODE")]
    assert [row.is_read for row in seen.rows[:4]] == [True, False, False, True]
    assert dict(seen.columns)["started_at"] == "日期 + 时刻"


def test_the_mapping_to_begin_with_can_be_read(town: Town, now: datetime) -> None:
    said = queries.application(apply(town, now)).content
    fields = queries.methodology_fields(said, day=now.date())
    begun = queries.mapping_to_begin(said, fields)
    preview = queries.preview_mapping(
        document=begun, scenario="bus", file_name="a.csv", media_type="text/csv", at=now,
        content=b"record_id,subject,started_at,area,distance_km\nR1,S1,2026-11-18 08:00:00,990102,8.4\n",
    )  # fmt: skip
    assert preview.rows[0].is_read
