"""From a file to grams: every row gets one verdict, good rows are kept, nothing is lost."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal

import openpyxl
import pytest
from tests.integration.behaviour.activity.town import CITY, HEADER, METHODOLOGIES, Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.models import Batch, Posting, RowOutcome
from tanpuhui.behaviour.activity.operations import post_batch
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.operations import open_accounts
from tanpuhui.books.ledger.queries import entries
from tanpuhui.foundation.audit.operations import IdempotencyConflict
from tanpuhui.foundation.identity.models import Consent
from tanpuhui.foundation.identity.operations import withdraw_consent
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.kernel.quantities import Grams, Points

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(db: None) -> Town:
    return build(subjects=("S1", "S2"))


def bike(
    record_id: str,
    km: str,
    *,
    subject: str = "S1",
    started: str = "2026-11-18T08:00:00+08:00",
    kind: str = "bike",
    seconds: str = "1200",
) -> str:
    return f"{record_id},{subject},bike,{started},,{CITY},{km},{seconds},{kind}"


def outcomes() -> list[tuple[int, str, str, str]]:
    return list(
        RowOutcome.objects.order_by("row_number").values_list("row_number", "verdict", "reason", "value")
    )


def reasons() -> dict[int, str]:
    return {row: reason for row, _, reason, _ in outcomes()}


def test_a_bus_ride_of_8_4_km_gives_436_grams_and_43_points(town: Town, now: datetime) -> None:
    posted = town.post(csv(bus("R1")), at=now)
    assert (posted.state, posted.rows, posted.counted) == ("posted", 1, 1)
    assert (posted.grams, posted.points) == (Grams(436), Points(43))
    held = ledger.balance(town.accounts["S1"])
    assert (held.grams, held.points) == (Grams(436), Points(43))
    assert Batch.objects.get().report["verdicts"]["counted"] == 1
    assert list(queries.breaches()) == []


def test_every_bad_row_has_its_reason_and_the_good_rows_are_kept(town: Town, now: datetime) -> None:
    rows = {
        "good": bus("R1"),
        "MISSING_FIELD": bus(""),
        "BAD_TIME": bus("R3", started="18 November"),
        "TIME_ORDER": bus("R4", ended="2026-11-18T07:00:00+08:00"),
        "FUTURE_TIME": bus("R5", started="2026-11-21T08:00:00+08:00"),
        "TOO_LATE": bus("R6", started="1926-11-18T08:00:00+08:00"),
        "UNKNOWN_AREA": bus("R7", area="123456"),
        "UNKNOWN_SCENARIO": bus("R8").replace(",bus,", ",ferry,"),
        "NEGATIVE_DISTANCE": bus("R9", distance="-3.2"),
        "BAD_NUMBER": bus("R10", distance="a lot"),
        "OUT_OF_BOUNDS": bus("R11", distance="300.001"),
        "DISTANCE_NOT_POSITIVE": bus("R12", distance="0"),
        "FORMULA_CELL": bus("=1+2"),
        "PARAMETER_UNSET": bus("R14", distance=""),
        "PERSON_UNKNOWN": bus("R15", "S9"),
        "BAD_ROW": "R16,S1",
        "VALUE_TOO_LONG": bus("R" * 201),
        "good again": bus("R18", "S2"),
    }
    posted = town.post(csv(*rows.values()), at=now)
    expected = {n: name for n, name in enumerate(rows, start=2) if not name.startswith("good")}
    assert reasons() == expected
    assert (posted.rows, posted.counted) == (18, 2)
    assert ledger.balance(town.accounts["S2"]).grams == Grams(436)
    verdicts = Batch.objects.get().report["verdicts"]
    assert sum(verdicts.values()) == 18
    assert (verdicts["pending"], verdicts["rejected"]) == (1, 15)
    assert list(queries.breaches()) == []


def test_the_report_shows_the_value_and_gives_no_formula_to_a_spreadsheet(town: Town, now: datetime) -> None:
    town.post(csv(bus("R1", distance="-3.2"), bus("=cmd()"), bus("R3", "unknown person")), at=now)
    report = queries.batch_report(Batch.objects.get().pk)
    assert [(o.row_number, o.reason, o.field, o.value) for o in report.outcomes] == [
        (2, "NEGATIVE_DISTANCE", "distance_km", "-3.2"),
        (3, "FORMULA_CELL", "record_id", "=cmd()"),
        (4, "PERSON_UNKNOWN", "subject", ""),
    ]
    lines = list(queries.batch_report_csv(report.batch.id, locale="en"))
    assert lines[1].startswith("2,rejected,NEGATIVE_DISTANCE,distance_km,'-3.2,")
    assert ",'=cmd()," in lines[2]


def test_a_record_sent_twice_counts_once_in_a_file_and_ever_after(town: Town, now: datetime) -> None:
    first = town.post(csv(bus("R1"), bus("R1", distance="9"), bus("R2")), at=now)
    assert first.counted == 2
    assert outcomes() == [(3, "duplicate", "DUPLICATE_IN_FILE", "2")]
    second = town.post(csv(bus("R2"), bus("R3")), at=now, key="k2")
    assert (second.rows, second.counted) == (2, 1)
    assert RowOutcome.objects.filter(reason="DUPLICATE_POSTED").count() == 1
    assert ledger.balance(town.accounts["S1"]).grams == Grams(3 * 436)
    assert list(queries.breaches()) == []


def test_a_rejected_row_can_be_resent_corrected(town: Town, now: datetime) -> None:
    town.post(csv(bus("R1", distance="-1")), at=now)
    assert town.post(csv(bus("R1", distance="8.4")), at=now, key="k2").counted == 1


def test_the_same_file_again_changes_nothing(town: Town, now: datetime) -> None:
    first = town.post(csv(bus("R1")), at=now)
    again = town.post(csv(bus("R1")), at=now, key="another key")
    assert again == first
    assert Posting.objects.count() == 1
    assert ledger.balance(town.accounts["S1"]).grams == Grams(436)


def test_a_key_used_for_another_file_is_refused(town: Town, now: datetime) -> None:
    town.receive(csv(bus("R1")), at=now)
    with pytest.raises(IdempotencyConflict):
        town.receive(csv(bus("R2")), at=now)


def test_only_the_partner_itself_sends_its_files(town: Town, now: datetime) -> None:
    stranger = Actor(
        kind="partner", id="9", grants=(Grant(role=Role.PARTNER, organisation_id=town.partner_id + 1),)
    )
    with pytest.raises(NotPermitted):
        Town(partner_id=town.partner_id, partner=stranger, accounts={}, users={}).receive(
            csv(bus("R1")), at=now
        )


def test_trips_beyond_six_a_day_are_clipped_the_earliest_first(town: Town, now: datetime) -> None:
    rides = [bus(f"R{hour}", started=f"2026-11-18T{hour:02d}:00:00+08:00") for hour in reversed(range(8, 16))]
    posted = town.post(csv(*rides), at=now)
    assert (posted.counted, posted.grams) == (8, Grams(6 * 436))
    records = queries.records_of_account(
        account_id=town.accounts["S1"],
        first_day=date(2026, 11, 18),
        last_day=date(2026, 11, 18),
    )
    clipped = sorted(r.record_id for r in records if r.verdict == "clipped")
    assert clipped == ["R14", "R15"]
    assert Batch.objects.get().report["reasons"] == {"CLIPPED_BY_CAP": 2}
    late = town.post(csv(bus("R1", started="2026-11-18T01:00:00+08:00")), at=now, key="k2")
    assert (late.counted, late.grams) == (1, Grams(0))
    assert list(queries.breaches()) == []


def test_a_cap_on_distance_grants_what_is_left_and_says_so(town: Town, now: datetime) -> None:
    rides = [
        bike(f"B{n}", "14", started=f"2026-11-18T{8 + n:02d}:00:00+08:00", seconds="3600") for n in range(3)
    ]
    town.post(csv(*rides), at=now)
    records = queries.records_of_account(
        account_id=town.accounts["S1"],
        first_day=date(2026, 11, 18),
        last_day=date(2026, 11, 18),
    )
    assert [(r.record_id, r.granted) for r in records] == [("B2", Decimal(2)), ("B1", None), ("B0", None)]
    # 0.104 - 0.0087 kg per km: 14 km give 1334.2 g, 2 km give 190.6 g
    assert [r.grams for r in records] == [Grams(190), Grams(1334), Grams(1334)]
    why = queries.explain_record(
        posting_id=records[0].posting_id, account_id=town.accounts["S1"], row=records[0].row
    )
    assert why.explanation.grams == Grams(190)
    assert why.points_rule["value"] == "1/10"
    assert list(queries.breaches()) == []


def test_what_the_methodology_refuses_carries_its_own_reason(town: Town, now: datetime) -> None:
    town.post(csv(bike("B1", "3", kind="scooter"), bike("B2", "14", seconds="60"), bike("B3", "3")), at=now)
    found = reasons()
    assert found[2] == "UNKNOWN_OPTION"
    assert found[3] not in {"", "OUT_OF_BOUNDS"}
    assert 4 not in found


def test_a_mixed_file_is_split_by_scenario_and_month(town: Town, now: datetime) -> None:
    posted = town.post(
        csv(bus("R1"), bus("R2", started="2026-10-31T23:59:00+08:00"), bike("B1", "3"), bus("R3", "S2")),
        at=now,
    )
    found = [(p.scenario, p.month, p.records) for p in queries.postings(batch_id=posted.batch_id)]
    assert found == [("bike", "2026-11", 1), ("bus", "2026-10", 1), ("bus", "2026-11", 2)]
    through = queries.postings_of_scenario(scenario="bus", through_month=Month(2026, 10))
    assert [p.month for p in through] == ["2026-10"]
    chain = [(bytes(p.prev_hash), bytes(p.hash)) for p in Posting.objects.order_by("id")]
    assert [p[0] for p in chain[1:]] == [p[1] for p in chain[:-1]]


def test_a_time_in_another_zone_falls_on_its_day_in_china(town: Town, now: datetime) -> None:
    town.post(
        csv(bus("R1", started="2026-11-17T18:30:00Z"), bus("R2", started="2026-11-17 23:30:00")), at=now
    )
    days = [str(e.day) for e in entries(town.accounts["S1"], limit=5)]
    assert days == ["2026-11-18", "2026-11-17"]


def test_records_before_consent_and_after_withdrawal_are_refused_with_that_reason(
    town: Town, now: datetime
) -> None:
    user_id = town.users["S1"]
    citizen = Actor(kind="user", id=str(user_id), grants=(Grant(role=Role.CITIZEN),))
    withdraw_consent(actor=citizen, at=now - timedelta(days=1), user_id=user_id, scenario="bus")
    town.post(
        csv(
            bus("R1", started="2026-11-19T09:59:00+08:00"),
            bus("R2", started="2026-11-19T10:01:00+08:00"),
        ),
        at=now,
    )
    assert reasons() == {3: "AFTER_WITHDRAWAL"}
    Consent.objects.filter(user_id=user_id, scenario="bike").delete()
    Consent.objects.filter(user_id=town.users["S2"], scenario="bus").update(given_at=now - timedelta(days=1))
    town.post(
        csv(
            bus("R3", subject="S2", started="2026-11-19T09:59:00+08:00"),
            bus("R4", subject="S2", started="2026-11-19T10:01:00+08:00"),
            bus("R5").replace(",bus,", ",bike,"),
        ),
        at=now,
        key="k2",
    )
    assert reasons() == {3: "AFTER_WITHDRAWAL", 2: "BEFORE_CONSENT", 4: "NO_CONSENT"}


def test_a_person_without_account_is_pending_and_counts_when_resent_after_opening(now: datetime) -> None:
    town = build(subjects=("S1",), with_accounts=False)
    town.post(csv(bus("R1")), at=now)
    assert reasons() == {2: "NO_ACCOUNT"}
    open_accounts(owner_type="user", owner_ids=[town.users["S1"]], at=now)
    assert town.post(csv(bus("R1"), bus("R2")), at=now, key="k2").counted == 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "EMPTY_FILE"),
        (csv(), "EMPTY_FILE"),
        ("record_id,乘客\n".encode("gb18030"), "BAD_ENCODING"),
        ("record_id,subject,scenario,started_at\nR1,S1,bus,2026\n".encode("utf-16"), "BAD_ENCODING"),
        (b"record_id,subject\nR1,S1\n", "MISSING_COLUMN"),
        (b"record_id,record_id,subject,scenario,started_at\nR,R,S,b,2026\n", "DUPLICATE_COLUMN"),
        (gzip.compress(csv(bus("R1")))[:-6], "BAD_COMPRESSION"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_is_refused_by_name(
    town: Town, now: datetime, content: bytes, fault: str
) -> None:
    posted = town.post(content, at=now)
    assert (posted.state, posted.counted) == ("refused", 0)
    assert queries.batch_report(posted.batch_id).fault == fault
    assert post_batch(actor=SYSTEM, at=now, batch_id=posted.batch_id) == posted


def test_a_workbook_and_a_zip_post_what_their_text_would(town: Town, now: datetime) -> None:
    book, packed = io.BytesIO(), io.BytesIO()
    workbook = openpyxl.Workbook()
    for line in (HEADER, bus("R1"), bus("R2", distance="=8+1")):
        workbook.active.append(line.split(","))
    workbook.save(book)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rides.csv", csv(bus("R1"), bus("R3")))
    first = town.post(book.getvalue(), at=now, key="k1", name="rides.xlsx")
    second = town.post(packed.getvalue(), at=now, key="k2", name="rides.zip")
    assert [outcome.reason for outcome in queries.batch_report(first.batch_id).outcomes] == ["FORMULA_CELL"]
    assert (first.counted, second.counted, second.grams) == (1, 1, first.grams)


def test_lines_in_another_encoding_are_refused_and_the_rest_counts(town: Town, now: datetime) -> None:
    bad = bus("R2").replace("R2", "记录").encode("gb18030")
    content = csv(bus("R1")) + bad + b"\n" + bus("R3").encode()
    posted = town.post(content, at=now)
    assert posted.counted == 2
    assert outcomes() == [(3, "rejected", "BAD_ENCODING", str(len(csv(bus("R1"))) + 1))]


def test_ndjson_and_gzip_give_the_same_books_as_csv(town: Town, now: datetime) -> None:
    lines = [
        json.dumps({"record_id": f"R{n}", "subject": "S1", "scenario": "bus", "started_at": "2026-11-18T08:00:00+08:00",
                    "area": CITY, "distance_km": 8.4})
        for n in range(3)
    ]  # fmt: skip
    content = "\n".join([*lines, "not json", "[1]", ""]).encode()
    posted = town.post(gzip.compress(content), at=now, name="rides.ndjson.gz")
    assert (posted.rows, posted.counted, posted.grams) == (5, 3, Grams(3 * 436))
    assert reasons() == {4: "BAD_ROW", 5: "BAD_ROW"}


def test_a_number_with_many_digits_is_not_read_as_a_binary_float(town: Town, now: datetime) -> None:
    line = f'{{"record_id":"R1","subject":"S1","scenario":"bus","started_at":"2026-11-18 08:00","area":"{CITY}","distance_km":8.40000000000000001}}'
    town.post(line.encode(), at=now, name="rides.ndjson")
    assert outcomes() == [(1, "rejected", "BAD_NUMBER", "8.40000000000000001")]


def test_points_are_floored_per_account_day_not_per_record(town: Town, now: datetime) -> None:
    # 0.3 km give 15.6 g, booked 15 g; two of them are 30 g and 3 points, not 1 + 1
    posted = town.post(csv(bus("R1", distance="0.3"), bus("R2", distance="0.3")), at=now)
    assert (posted.grams, posted.points) == (Grams(30), Points(3))


def test_an_account_day_is_floored_at_zero_over_all_its_postings(now: datetime) -> None:
    folder = METHODOLOGIES / "a01-bus" / "1.0"
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    # Beyond 10 km the made-up version takes away what it gives below.
    files["methodology.yaml"] = files["methodology.yaml"].replace(
        "formula: 基准排放 - 实际排放".encode(),
        "formula: 若 里程 > 10[pkm] 则 实际排放 - 基准排放 否则 基准排放 - 实际排放".encode(),
        1,
    )
    files = {name: content for name, content in files.items() if name != "cases.yaml"}
    town = build(subjects=("S1", "S2"), scenarios=(("bus", "a01-bus"),), files=files)
    held = []
    for place, distances in enumerate((["20"], ["10", "10"], ["10"], ["20"], ["10"])):
        rides = [bus(f"R{place}-{n}", distance=km) for n, km in enumerate(distances)]
        town.post(csv(*rides, bus(f"Q{place}", "S2", distance="1")), at=now, key=f"k{place}")
        held.append(ledger.balance(town.accounts["S1"]).grams.value)
    # Sums of the day: -1040, 0, 520, -520, 0
    assert held == [0, 0, 520, 0, 0]
    assert ledger.balance(town.accounts["S2"]).grams == Grams(5 * 52)
    assert list(queries.breaches()) == []
