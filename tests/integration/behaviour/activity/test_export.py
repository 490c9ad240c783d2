"""Records as Parquet: what is handed out adds up to the books, and another engine has the grams again from it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from django.db import connection
from tests.integration.behaviour.activity.town import CITY, Town, build
from tools.spark import missing, session

from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.interfaces.commands import export_records
from tanpuhui.science.engine import sql
from tanpuhui.science.methodology import queries as methodology

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 1, tzinfo=UTC)
RIDERS = tuple(f"S{n}" for n in range(7))
LACKING = missing()


@pytest.fixture
def town() -> Town:
    return build(subjects=RIDERS, scenarios=(("bus", "a01-bus"),))


@pytest.fixture
def exported(town: Town, tmp_path: Path) -> Path:
    lines = ["record_id,subject,scenario,started_at,area,distance_km"]
    lines += [
        f"r{n},{RIDERS[n % 7]},bus,2026-11-{1 + n % 15:02d}T08:00:00+08:00,{CITY},{1 + n % 19}.{n % 10}"
        for n in range(300)
    ]
    town.post("\n".join([*lines, ""]).encode(), at=AT)
    assert export(tmp_path / "records") == 0
    return tmp_path / "records"


def export(folder: Path, *, month: str = "2026-11") -> int:
    return export_records.main(
        ["--scenario", "bus", "--month", month, "--purpose", "check", "--to", str(folder), "--lang", "en"]
    )


def test_what_is_handed_out_adds_up_to_the_books_and_the_audit_knows_why(exported: Path) -> None:
    rows = duckdb.sql(
        f"select account_id, day, sum(grams + floor_g)::bigint, count(*) from '{exported}/**/*.parquet' group by 1, 2"
    ).fetchall()
    with connection.cursor() as cursor:
        cursor.execute(
            "select e.account_id, e.day, e.grams, e.n_records from ledger_entry e join ledger_account a "
            "on a.id = e.account_id where a.system_code is null"
        )
        assert sorted(rows) == sorted(cursor.fetchall())
    assert AuditRecord.objects.filter(operation="activity.export_records").count() == 1
    names = duckdb.sql(f"select * from '{exported}/**/*.parquet' limit 0").columns
    assert not {"record_id", "started_at", "from_place", "device", "subject"} & set(names)


def test_a_folder_that_is_not_empty_and_a_month_without_records_are_refused(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(exported) == 2
    assert export(tmp_path / "other", month="2026-10") == 1
    assert export(tmp_path / "other", month="11/2026") == 1
    assert "is not empty" in capsys.readouterr().err


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.skipif(LACKING is not None, reason=str(LACKING))
@pytest.mark.filterwarnings("ignore")
def test_spark_reads_the_records_and_has_every_gram_again(exported: Path) -> None:
    version = methodology.loaded(Posting.objects.get().methodology_version_id)
    with session() as spark:
        spark.read.parquet(str(exported)).createOrReplaceTempView("exported")
        spark.sql("select * from exported where granted is null").createOrReplaceTempView("records")
        spark.sql(sql(version, "spark", "records")).createOrReplaceTempView("again")
        n, different = spark.sql(
            "select count(*), count(case when r.grams <> a.grams or r.remainder_g <> a.remainder_g then 1 end) "
            "from records r join again a using (row_no)"
        ).collect()[0]
    assert n > 200
    assert different == 0
