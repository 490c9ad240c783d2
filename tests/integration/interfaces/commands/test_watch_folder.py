"""What a partner drops in its folder is received once, whatever ends the watcher, and never before it is finished."""

from __future__ import annotations

import fcntl
import hashlib
from datetime import datetime
from pathlib import Path

import pytest
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity.models import Batch
from tanpuhui.behaviour.activity.operations import post_batch
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.persistence.locks import Busy
from tanpuhui.interfaces.commands import partner_folders, watch_folder
from tanpuhui.interfaces.commands.partner_folders import Moved, PartnerFolder, folders

pytestmark = pytest.mark.django_db
RIDES = csv(bus("R1"), bus("R2", distance="x"))


class Killed(BaseException):
    """The watcher ends here, as by kill -9: nothing behind it runs."""


class Box:
    """A partner's folder as the partner and the watcher see it."""

    def __init__(self, path: Path, at: datetime) -> None:
        self.path, self.at = path, at
        (path / "in").mkdir(parents=True)

    def drop(self, name: str = "rides.csv", content: bytes = RIDES, *, marker: bytes | None = b"") -> None:
        (self.path / "in" / name).write_bytes(content)
        if marker is not None:
            (self.path / "in" / f"{name}.done").write_bytes(marker)

    def look(self, killed_at: str = "") -> list[Moved]:
        def reached(step: str) -> None:
            if step == killed_at:
                raise Killed

        return list(PartnerFolder(path=self.path, reached=reached).look(at=self.at))

    def lies(self, place: str) -> list[str]:
        return sorted(file.name for file in (self.path / place).iterdir())


@pytest.fixture
def town(now: datetime) -> Town:
    return build(subjects=("S1",))


@pytest.fixture
def box(town: Town, tmp_path: Path, now: datetime) -> Box:
    return Box(tmp_path / str(town.partner_id) / "standard", now)


def test_a_finished_file_becomes_a_batch_and_its_report_comes_beside_it(box: Box, now: datetime) -> None:
    box.drop()
    (moved,) = box.look()
    batch = Batch.objects.get()
    assert (moved.batch_id, moved.code) == (batch.pk, "")
    assert (batch.file_name, batch.file_sha256) == ("rides.csv", hashlib.sha256(RIDES).hexdigest())
    assert (box.lies("in"), box.lies(".work"), box.lies("taken")) == ([], [], [f"{batch.pk}-rides.csv"])
    post_batch(actor=SYSTEM, at=now, batch_id=batch.pk)
    assert box.look() == []
    report = (box.path / "taken" / f"{batch.pk}-rides.csv.report.csv").read_text("utf-8-sig")
    assert "BAD_NUMBER" in report
    assert box.look() == []


def test_a_file_without_its_marker_is_still_being_written(box: Box) -> None:
    box.drop(marker=None)
    assert box.look() == []
    assert box.lies("in") == ["rides.csv"]
    (box.path / "in" / "rides.csv.done").touch()
    assert len(box.look()) == 1


def test_a_marker_without_its_file_waits(box: Box) -> None:
    (box.path / "in" / "rides.csv.done").touch()
    assert box.look() == []
    assert box.lies("in") == ["rides.csv.done"]


def test_a_marker_can_say_which_content_is_meant(box: Box) -> None:
    digest = hashlib.sha256(RIDES).hexdigest()
    box.drop("whole.csv", marker=f"{digest}  whole.csv\n".encode())
    box.drop("cut.csv", RIDES[:-20], marker=f"{digest}  cut.csv\n".encode())
    assert {moved.name: moved.code for moved in box.look()} == {"whole.csv": "", "cut.csv": "NOT_THAT_FILE"}
    assert Batch.objects.count() == 1


def test_the_same_content_again_is_the_same_batch(box: Box) -> None:
    box.drop()
    box.drop("again.csv")
    batches = {moved.batch_id for moved in box.look()}
    box.drop()
    batches |= {moved.batch_id for moved in box.look()}
    assert len(batches) == Batch.objects.count() == 1


STEPS = ("marker claimed", "file claimed", "marker turned", "received", "taken", "marker gone")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_next_watcher_finishes_and_nothing_is_taken_twice(box: Box, step: str) -> None:
    box.drop()
    with pytest.raises(Killed):
        box.look(killed_at=step)
    # Where the name is free again, its partner may already be writing the next file under it.
    is_free = not box.lies("in")
    if is_free:
        box.drop(content=b"half a f", marker=None)
    box.look()
    assert Batch.objects.count() == 1
    assert box.lies("taken") == [f"{Batch.objects.get().pk}-rides.csv"]
    assert box.lies(".work") == []
    assert box.lies("in") == (["rides.csv"] if is_free else [])
    assert (box.path / "taken" / box.lies("taken")[0]).read_bytes() == RIDES


@pytest.mark.parametrize("step", ["reason written", "refused", "marker gone"])
def test_killed_while_refusing_the_reason_stands_once(box: Box, step: str) -> None:
    box.drop(marker=b"0" * 64)
    with pytest.raises(Killed):
        box.look(killed_at=step)
    box.look()
    name, reason = box.lies("refused")
    assert reason == f"{name}.txt"
    told = (box.path / "refused" / reason).read_text("utf-8")
    assert told.startswith("NOT_THAT_FILE\n标记里写的 SHA-256")
    assert (box.lies("in"), box.lies(".work"), Batch.objects.count()) == ([], [], 0)


def test_a_killed_report_is_written_whole_by_the_next_watcher(box: Box, now: datetime) -> None:
    box.drop()
    (moved,) = box.look()
    assert moved.batch_id is not None
    post_batch(actor=SYSTEM, at=now, batch_id=moved.batch_id)
    (box.path / "taken" / f".{moved.batch_id}-rides.csv.report.csv.part").write_text("half a li", "utf-8")
    box.look()
    assert [name for name in box.lies("taken") if name.endswith(".report.csv")] == [
        f"{moved.batch_id}-rides.csv.report.csv"
    ]


def test_a_busy_platform_keeps_the_file_for_the_next_look(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(**_: object) -> None:
        raise Busy

    box.drop()
    with monkeypatch.context() as patched:
        patched.setattr(partner_folders, "receive_batch", busy)
        assert box.look() == []
    assert len(box.look()) == 1


def test_a_link_is_not_followed(box: Box, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"not the partner's")
    (box.path / "in" / "rides.csv").symlink_to(secret)
    (box.path / "in" / "rides.csv.done").touch()
    (moved,) = box.look()
    assert moved.code == "NO_PLAIN_FILE"
    assert Batch.objects.count() == 0
    assert secret.read_bytes() == b"not the partner's"


def test_a_report_of_another_partner_is_not_had_by_a_name(
    box: Box, town: Town, now: datetime, tmp_path: Path
) -> None:
    done = town.post(RIDES, at=now)
    other = Box(tmp_path / "424242" / "standard", now)
    (other.path / "taken").mkdir()
    (other.path / "taken" / f"{done.batch_id}-guess.csv").touch()
    other.look()
    assert other.lies("taken") == [f"{done.batch_id}-guess.csv"]


def test_a_folder_may_be_called_by_the_scenario_and_one_without_a_feed_says_so(
    box: Box, town: Town, now: datetime, tmp_path: Path
) -> None:
    named = Box(tmp_path / str(town.partner_id) / "bus", now)
    named.drop()
    assert [moved.code for moved in named.look()] == [""]
    for partner, feed, code in (
        (str(town.partner_id), "ferry", "FOLDER_HAS_NO_FEED"),
        ("424242", "standard", "NOT_FOUND"),
    ):
        wrong = Box(tmp_path / partner / feed, now)
        wrong.drop()
        assert [moved.code for moved in wrong.look()] == [code]


def test_only_folders_of_the_layout_are_looked_at(box: Box, tmp_path: Path) -> None:
    for stray in ("in", "x/in", "x/standard/in", "7/in"):
        (tmp_path / stray).mkdir(parents=True, exist_ok=True)
    assert [folder.path for folder in folders(tmp_path)] == [box.path]


def test_the_command_looks_once_and_two_do_not_watch_one_root(
    box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box.drop()
    assert watch_folder.main([str(tmp_path), "--once"]) == 0
    assert "rides.csv: 批次" in capsys.readouterr().out
    with (tmp_path / ".watching").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert watch_folder.main([str(tmp_path), "--once"]) == 1
    assert watch_folder.main([str(tmp_path / "nothing"), "--once"]) == 2
