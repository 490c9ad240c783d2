"""Several workers number results at once: each part gets one number, without a gap."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.behaviour.activity.town import build, bus, csv

from tanpuhui.behaviour.activity.models import ResultPart
from tanpuhui.behaviour.activity.operations import number_results
from tanpuhui.foundation.kernel.actors import SYSTEM

pytestmark = pytest.mark.concurrency
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def test_each_part_gets_one_number_without_a_gap(
    committed_database: CommittedDatabase, settings: Settings, tmp_path: Path
) -> None:
    settings.TANPUHUI_DATA_DIR = tmp_path
    town = build(subjects=("S1",))
    for n in range(6):
        town.post(csv(bus(f"R{n}", started=f"2026-11-18T{n + 6:02}:00:00+08:00")), at=NOW, key=f"k{n}")

    done = committed_database.run_together(*[lambda: number_results(actor=SYSTEM, at=NOW)] * 4)

    assert sorted(one.parts for one in done) == [0, 0, 0, 6]
    assert sorted(ResultPart.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]
