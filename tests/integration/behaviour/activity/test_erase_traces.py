"""A person who withdrew a consent has times, places and devices of their records erased; the books stay, and say so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from tests.integration.behaviour.activity.revision import adjust_all, approved, bus_version, key, revised_bus
from tests.integration.behaviour.activity.town import (
    CITY,
    HEADER,
    METHODOLOGIES,
    Town,
    build,
    bus,
    csv,
)

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.domain.erasures import ConsentNotWithdrawn, InputsErased
from tanpuhui.behaviour.activity.models import ErasedPayload
from tanpuhui.behaviour.activity.operations import TracesErased, erase_traces
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.operations import withdraw_consent
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.interfaces.commands.migrate import APP_ROLE, grant

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 11, 18).date()  # noqa: DTZ001  a business day
OWN = ("REC-ZHANG-77", "LINE-QX", "STOP-HAIBIN", "STOP-BEIGANG", "DEV-55AA")
"""What only the traces of the first rider hold."""


def ride(record_id: str, subject: str, *traces: str) -> str:
    """Return a bus ride with line, first and last stop and device."""
    return f"{record_id},{subject},bus,2026-11-18T08:00:00+08:00,,{CITY},8.4,{','.join(traces)}"


@pytest.fixture
def town(now: datetime) -> Town:
    made = build(subjects=("S1", "S2"))
    head = HEADER.replace(",duration_s,vehicle_type", ",line,from_place,to_place,device")
    lines = [head, ride(OWN[0], "S1", *OWN[1:]), ride("R2", "S2", "L2", "A", "B", "D2"), ""]
    made.post("\n".join(lines).encode(), at=now)
    return made


def citizen(town: Town, subject: str = "S1") -> Actor:
    return Actor(kind="user", id=str(town.users[subject]), grants=(Grant(role=Role.CITIZEN, area=CITY),))


def withdraw(town: Town, at: datetime) -> None:
    withdraw_consent(actor=SYSTEM, at=at, user_id=town.users["S1"], scenario="bus")


def erase(town: Town, at: datetime, *, subject: str = "S1") -> TracesErased:
    return erase_traces(
        actor=citizen(town, subject), at=at, user_id=town.users["S1"], scenario="bus", idempotency_key=key()
    )


def everything_stored() -> str:
    """Return every row of every table as text, payloads opened."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
        for (table,) in cursor.fetchall():
            cursor.execute(f'select t::text from "{table}" t')
            found += [text for (text,) in cursor.fetchall()]
        cursor.execute(
            "select traces from activity_record_chunk union all select rows from activity_set_aside"
        )
        found += [str(decode_payload(bytes(payload)).to_pydict()) for (payload,) in cursor.fetchall()]
        cursor.execute("select traces from activity_record_chunk")
        found += [bytes(payload).decode("latin-1") for (payload,) in cursor.fetchall()]
    return "\n".join(found)


def test_after_the_erasure_no_table_holds_the_traces_and_every_book_stands(town: Town, now: datetime) -> None:
    before = ledger.balance(town.accounts["S1"])
    assert all(one in everything_stored() for one in OWN)
    withdraw(town, now)
    done = erase(town, now + timedelta(minutes=1))
    assert done.records == 1
    stored = everything_stored()
    assert [one for one in OWN if one in stored] == []
    assert "STOP" not in stored
    assert b"DEV-55AA".hex() not in stored
    assert ledger.balance(town.accounts["S1"]) == before
    assert list(queries.breaches()) == []
    (record,) = queries.records_of_account(account_id=town.accounts["S1"], first_day=DAY, last_day=DAY)
    assert (record.started_at, record.record_id, record.traces) == (None, "", {})
    assert record.grams == before.grams
    (other,) = queries.records_of_account(account_id=town.accounts["S2"], first_day=DAY, last_day=DAY)
    assert (other.record_id, other.traces["line"]) == ("R2", "L2")
    assert other.started_at is not None
    again = erase(town, now + timedelta(minutes=2))
    assert (again.records, again.erasure_id) == (0, None)


def test_while_the_consent_stands_or_for_somebody_else_nothing_is_erased(town: Town, now: datetime) -> None:
    with pytest.raises(ConsentNotWithdrawn):
        erase(town, now)
    withdraw(town, now)
    with pytest.raises(NotPermitted):
        erase(town, now, subject="S2")
    assert all(one in everything_stored() for one in OWN)


def test_the_database_lets_a_payload_change_only_as_an_erasure_says(town: Town, now: datetime) -> None:
    withdraw(town, now)
    erase(town, now)
    for column in ("traces", "amounts", "n_records"):
        value = "n_records + 1" if column == "n_records" else "'x'"
        with pytest.raises(DatabaseError, match="logged erasure"), transaction.atomic():
            connection.cursor().execute(f"update activity_record_chunk set {column} = {value}")


def test_the_app_role_can_erase_and_change_nothing_else_of_a_chunk(town: Town, now: datetime) -> None:
    withdraw(town, now)
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_roles where rolname = %s", [APP_ROLE])
        if cursor.fetchone() is None:
            cursor.execute(f'create role "{APP_ROLE}"')
        assert grant()
        cursor.execute(f'set local role "{APP_ROLE}"')
        assert erase(town, now).records == 1
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            cursor.execute("update activity_record_chunk set amounts = 'x'")
        cursor.execute("reset role")
    assert list(queries.breaches()) == []


@pytest.fixture
def spoil() -> Callable[[str], None]:
    def run(sql: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            for change in ("disable", "enable"):
                for table in ("activity_erased_payload", "activity_trace_erasure", "activity_record_chunk"):
                    cursor.execute(f"alter table {table} {change} trigger user")
                if change == "disable":
                    cursor.execute(sql)

    return run


@pytest.mark.parametrize(
    ("sql", "invariant"),
    [
        ("update activity_trace_erasure set records = 2", "activity.erasure_is_its_payloads"),
        ("update activity_erased_payload set new_sha256 = sha256('x')", "activity.erasure_is_its_payloads"),
        ("update activity_erased_payload set old_sha256 = sha256('x')", "activity.erasures_form_a_chain"),
        ("delete from activity_erased_payload", "activity.chunk_has_its_hash"),
    ],
)
def test_a_spoilt_erasure_is_found(
    town: Town, now: datetime, spoil: Callable[[str], None], sql: str, invariant: str
) -> None:
    withdraw(town, now)
    erase(town, now)
    spoil(sql)
    assert invariant in {breach.invariant for breach in queries.breaches()}


def test_a_recalculation_still_counts_a_record_whose_inputs_are_no_traces(
    town: Town, now: datetime, settings: Any, invented_jurisdiction: Path
) -> None:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    withdraw(town, now)
    erase(town, now)
    assert ErasedPayload.objects.count() == 1
    before = ledger.balance(town.accounts["S1"]).grams
    adjust_all(now, approved(now, bus_version(now), revised_bus("0.110")))
    assert ledger.balance(town.accounts["S1"]).grams.value > before.value
    assert list(queries.breaches()) == []


def with_trace(now: datetime) -> Town:
    """Build a town whose bus methodology calculates with a trace: the distance stands among what is erased."""
    folder = METHODOLOGIES / "a01-bus" / "1.0"
    files = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    text = files["methodology.yaml"].decode()
    head, rest = text.split("  - code: distance_km\n", 1)
    assert "privacy: amount" in rest
    rest = rest.replace("privacy: amount", "privacy: trace", 1)
    files["methodology.yaml"] = f"{head}  - code: distance_km\n{rest}".encode()
    made = build(subjects=("S1", "S2"), scenarios=(("bus", "a01-bus"),), files=files)
    made.post(csv(bus("R1"), bus("R2", "S2")), at=now)
    return made


def test_grams_that_came_from_erased_traces_stand_and_the_check_says_so(
    now: datetime, settings: Any, invented_jurisdiction: Path
) -> None:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    town = with_trace(now)
    before = {subject: ledger.balance(town.accounts[subject]).grams.value for subject in ("S1", "S2")}
    withdraw(town, now)
    erase(town, now)
    assert list(queries.breaches()) == []
    (again,) = queries.reproduce_postings(scenario="bus")
    assert {finding.code: finding.text("en") for finding in again.findings}["TRACES_ERASED"].startswith(
        "the traces of 1 records"
    )
    (record,) = queries.records_of_account(account_id=town.accounts["S1"], first_day=DAY, last_day=DAY)
    with pytest.raises(InputsErased):
        queries.explain_record(posting_id=record.posting_id, account_id=record.account_id, row=record.row)
    adjust_all(now, approved(now, bus_version(now), revised_bus("0.110")))
    after = {subject: ledger.balance(town.accounts[subject]).grams.value for subject in ("S1", "S2")}
    assert after["S1"] == before["S1"]
    assert after["S2"] > before["S2"]
    assert list(queries.breaches()) == []


def test_a_recalculation_before_the_erasure_stands_too(
    now: datetime, settings: Any, invented_jurisdiction: Path
) -> None:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    town = with_trace(now)
    adjust_all(now, approved(now, bus_version(now), revised_bus("0.110")))
    before = ledger.balance(town.accounts["S1"])
    withdraw(town, now)
    erase(town, now)
    assert ledger.balance(town.accounts["S1"]) == before
    assert list(queries.breaches()) == []
