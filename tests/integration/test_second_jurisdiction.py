"""The whole thread in a province that does not exist: another folder is all that it takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.conftest import ROOT, Story

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts import queries as carbon_accounts
from tanpuhui.credits.registry import queries as registry
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.kernel.quantities import Grams, Tonnes
from tanpuhui.foundation.keys.queries import published_key_set
from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.interfaces.commands import invariants
from tanpuhui.uses.rewards import queries as rewards

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
AREA = re.compile(r"99\d{4}")


def verify(certificate: Path, keys: Path) -> subprocess.CompletedProcess[str]:
    """Run the offline verifier with nothing around it: no settings, no database, an empty folder."""
    return subprocess.run(
        [
            sys.executable, "-m", "tanpuhui.interfaces.commands.main", "verify", str(certificate), "--keys", str(keys),
            "--lang", "en",
        ],
        cwd=certificate.parent,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip


def test_the_thread_runs_from_rides_to_a_retired_unit_in_the_invented_province(story: Story) -> None:
    assert story.memory.complete
    assert jurisdiction().name_zh == "黄海省"
    assert all(AREA.fullmatch(row.area) for row in organisations())
    batches = activity.batches()
    assert {batch.state for batch in batches} == {"posted", "received"}, "the last day waits for the worker"
    assert [pool.scenario for pool in carbon_accounts.pools()] == ["metro"]
    (pool,) = carbon_accounts.pools()
    assert pool.grams > Grams(0)
    (issued,) = registry.issuances()
    assert issued.quantity == pool.tonnes
    assert issued.serial.startswith("HH99-P0001-2026-")
    assert all(good.stock < 100 for good in rewards.goods()), "somebody redeemed points"


def test_everything_that_must_hold_holds(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    assert invariants.main([]) == 0, capsys.readouterr().out


def test_a_stranger_verifies_the_certificate_offline_and_a_changed_one_is_refused(
    story: Story, tmp_path: Path
) -> None:
    (held,) = registry.certificates()
    assert held.quantity == Tonnes(1)
    assert held.number.startswith("HH99-RET-2026-000001")
    certificate, keys = tmp_path / "certificate.json", tmp_path / "keys.json"
    certificate.write_bytes(registry.certificate_bundle(number=held.number))
    keys.write_bytes(published_key_set())
    accepted = verify(certificate, keys)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert "VALID as of head 1" in accepted.stdout
    assert "盐田徒步大会" in accepted.stdout
    forged = certificate.read_bytes().replace("盐田徒步大会".encode(), "北港徒步大会".encode())
    assert forged != certificate.read_bytes()
    certificate.write_bytes(forged)
    assert verify(certificate, keys).returncode == 1
