"""`tanpuhui recalculate`: the same to the byte, or what differs and why; and approved recalculations from a terminal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.integration.behaviour.activity.revision import approved, bus_version, previewed, revised_bus
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload, encode_chunks
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.interfaces.commands import invariants, recalculate
from tanpuhui.science.methodology.queries import loaded

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(now: datetime, settings: Any, invented_jurisdiction: Path) -> Town:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    made = build(subjects=("S1",))
    made.post(csv(bus("R1"), bus("R2", distance="1")), at=now)
    return made


def behind_the_triggers(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("set local session_replication_role = origin")


def forge_a_gram(kept_hashes: bool) -> None:
    import pyarrow as pa

    with connection.cursor() as cursor:
        cursor.execute("select bucket, amounts, traces from activity_record_chunk")
        ((bucket, amounts, traces),) = cursor.fetchall()
    table = decode_payload(bytes(amounts))
    grams = pa.array(
        [value + (place == 1) for place, value in enumerate(table.column("grams").to_pylist())], pa.int64()
    )
    (chunk,) = encode_chunks(
        table.set_column(table.column_names.index("grams"), "grams", grams),
        decode_payload(bytes(traces)),
        [(bucket, 0, table.num_rows)],
    )
    behind_the_triggers("update activity_record_chunk set amounts = %s", chunk.amounts)
    if not kept_hashes:
        behind_the_triggers("update activity_record_chunk set amounts_sha256 = %s", chunk.amounts_sha256)


def test_sound_results_are_the_same_to_the_byte(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    assert recalculate.main([]) == 0
    assert capsys.readouterr().out == "1 笔、2 条记录复算完毕：逐字节一致\n"
    assert recalculate.main(["--scenario", "bus", "--month", "2026-11", "--lang", "en"]) == 0
    assert capsys.readouterr().out == "1 results, 2 records had again: the same to the byte\n"


def test_a_corrupted_gram_ends_the_check_of_everything_with_a_status(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invariants.main(["activity", "ledger"]) == 0
    forge_a_gram(kept_hashes=False)
    behind_the_triggers(
        "update activity_posting set amounts_sha256 = sha256((select amounts_sha256 from activity_record_chunk))"
    )
    assert invariants.main(["activity", "ledger"]) == 1
    assert "activity.recalculation_gives_the_same_grams  posting:" in capsys.readouterr().out


@pytest.mark.parametrize(("kept_hashes", "code"), [(True, "PAYLOAD_CHANGED"), (False, "CHUNKS_CHANGED")])
def test_a_corrupted_gram_is_found_and_the_record_named(
    town: Town, capsys: pytest.CaptureFixture[str], kept_hashes: bool, code: str
) -> None:
    forge_a_gram(kept_hashes)
    assert recalculate.main(["--lang", "en"]) == 1
    said = capsys.readouterr().out
    assert "✗ posting:" in said
    assert code in said
    assert "RESULT_DIFFERS  row 3: stored 53 g, remainder 0.000, by_distance; now 52 g" in said
    assert "1 differ" in said


def test_a_parameter_set_that_is_not_that_of_the_posting_is_named(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    behind_the_triggers("update activity_posting set parameter_set_sha256 = repeat('0', 64)")
    assert recalculate.main([]) == 1
    assert "PARAMETER_SET_CHANGED  入账时的参数集是 0000" in capsys.readouterr().out


def test_another_engine_is_said_and_is_no_difference_while_the_bytes_agree(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    behind_the_triggers("update activity_posting set engine_version = '0'")
    assert recalculate.main(["--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "ENGINE_CHANGED  posted by engine 0" in said
    assert "the same to the byte" in said


def test_methodology_bytes_that_changed_are_the_reason(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    behind_the_triggers(
        "update methodology_methodologyversion set archive = archive || 'x'::bytea, "
        "archive_sha256 = repeat('0', 64) where scenario = 'bus'"
    )
    assert recalculate.main([]) == 1
    assert "VERSION_CHANGED" in capsys.readouterr().out


def test_erased_traces_are_said_where_they_are_needed_and_never_a_difference(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    behind_the_triggers("update activity_record_chunk set traces = ''::bytea")
    assert recalculate.main([]) == 0
    assert "TRACES_ERASED" not in capsys.readouterr().out, "bus rides are calculated from amounts alone"
    monkeypatch.setattr(
        "tanpuhui.behaviour.activity.queries._reproduction.reads_traces", lambda version: True
    )
    assert recalculate.main([]) == 0
    assert "2 条记录的轨迹已依法删除，不能复算" in capsys.readouterr().out


def test_an_approved_recalculation_is_posted_and_had_again(
    town: Town, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    number = approved(now, bus_version(now), revised_bus("0.110"))
    assert recalculate.main(["--adjust", str(number)]) == 0
    assert f"第 {number} 号重算已完成：2 条记录有变，减排量 +57 g" in capsys.readouterr().out
    assert ledger.balance(town.accounts["S1"]).grams == Grams(487 + 58)
    assert recalculate.main(["--adjust", str(number), "--lang", "en"]) == 0
    assert ledger.balance(town.accounts["S1"]).grams == Grams(487 + 58)
    assert recalculate.main([]) == 0
    assert "2 笔、4 条记录" in capsys.readouterr().out


def test_what_is_not_approved_is_refused_with_a_sentence(
    town: Town, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    number = previewed(now, bus_version(now), revised_bus("0.110"))
    assert recalculate.main(["--adjust", str(number)]) == 2
    assert "不能这样办理" in capsys.readouterr().err
    assert recalculate.main(["--posting", "999999"]) == 2
    assert "没有可复算的结果" in capsys.readouterr().err


def test_the_version_in_use_is_the_one_that_was_posted_with(town: Town, now: datetime) -> None:
    assert loaded(bus_version(now)).code == "A01"
