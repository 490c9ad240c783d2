"""Whatever a file holds, each of its rows gets one verdict, and the books agree with an independent sum."""

from __future__ import annotations

import random
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

import pytest
from tests.integration.behaviour.activity.town import CITY, HEADER, build

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.models import Batch
from tanpuhui.books.ledger import queries as ledger

pytestmark = pytest.mark.django_db
CELLS: dict[str, list[str]] = {
    "subject": ["S1", "S2", "S3", "stranger", "", "=S1"],
    "scenario": ["bus", "bike", "ferry", ""],
    "started_at": ["2026-11-18T08:00:00+08:00", "2026-10-31T23:00:00Z", "2026-12-01 08:00", "yesterday", ""],
    "ended_at": ["", "2026-11-18T09:00:00+08:00", "2026-11-01 00:00:00"],
    "area": [CITY, "990200", "123456", ""],
    "distance_km": ["8.4", "0.3", "-1", "1e3", "", "12.3456", "99999999999999999999", "+2", "０"],
    "duration_s": ["1200", "", "12.5", "-1"],
    "vehicle_type": ["bike", "e-bike", "", "=bike"],
}
BROKEN = [b'"open,quote', b"\xff\xfe", b"too,few", b",,,,,,,,,,,", b"x" * 70_000, b""]


def made_file(made: random.Random) -> bytes:
    lines: list[bytes] = [HEADER.encode()]
    for n in range(made.randrange(1, 60)):
        if made.random() < 0.1:
            lines.append(made.choice(BROKEN))
            continue
        # Mostly good cells, so that rows die at every step and not all at the first.
        cells = [values[0] if made.random() < 0.8 else made.choice(values) for values in CELLS.values()]
        lines.append(",".join([f"R{made.randrange(n + 1)}", *cells]).encode())
    return b"\n".join(lines) + b"\n"


@pytest.mark.parametrize("seed", range(12))
def test_verdicts_add_up_to_rows_and_grams_to_balances(seed: int, now: datetime) -> None:
    made = random.Random(seed)
    town = build(subjects=("S1", "S2", "S3"))
    for place in range(2):
        content = made_file(made)
        posted = town.post(content, at=now, key=f"k{place}")
        report = Batch.objects.get(pk=posted.batch_id).report
        if posted.state == "posted":
            lines = content.split(b"\n")[1:]
            assert posted.rows == sum(1 for line in lines if line)
        assert sum(report["verdicts"].values()) == posted.rows
    total = sum(ledger.balance(account).grams.value for account in town.accounts.values())
    records = [
        record
        for account in town.accounts.values()
        for record in queries.records_of_account(
            account_id=account, first_day=datetime(2026, 1, 1, tzinfo=now.tzinfo).date(), last_day=now.date()
        )
    ]
    assert total == sum(record.grams.value for record in records)
    for record in records:
        km = (
            record.granted
            if record.granted is not None and record.scenario == "bike"
            else record.values["distance_km"]
        )
        factor = Decimal("0.052") if record.scenario == "bus" else Decimal("0.0953")
        expected = int((Decimal(str(km)) * factor * 1000).to_integral_value(ROUND_FLOOR))
        clipped_trip = record.scenario == "bus" and record.granted == 0
        assert record.grams.value == (0 if clipped_trip else expected)
    assert list(queries.breaches()) == []
