"""The platform's own PostgreSQL: made, started and stopped here when no `DATABASE_URL` names a server.

The server listens on a Unix socket in a folder that only its owner can enter, and on no network address. Two roles
exist in it: `tanpuhui_owner` owns the tables and migrates, `tanpuhui_app` is what web and worker sign in as.
By hand: `python -m tanpuhui.config.embedded_database start|stop|status|url [--folder var/database]`.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tanpuhui.config import embedded_binaries as binaries
from tanpuhui.config.embedded_binaries import Account
from tanpuhui.foundation.kernel.errors import Refusal

DATABASE = "tanpuhui"
SUPERUSER = "postgres"
OWNER_ROLE = "tanpuhui_owner"
APP_ROLE = "tanpuhui_app"
SOCKET_FILE = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 100  # sun_path holds 108 bytes on Linux and 104 on macOS
START_RETRY_S = 10.0
LOCK_WAIT_S = 60.0
READY_FILE = "ready.json"
MAKING = "data.making-"
ANSWER_WAIT_S = 300.0
PROCESSES = Path("/proc")  # absent on macOS, where PostgreSQL's own word is taken

INITDB = (
    "-U",
    SUPERUSER,
    "-E",
    "UTF8",
    "--lc-collate=C",
    "--lc-ctype=C.UTF-8",
    "--data-checksums",
    "--auth=trust",
)
ALWAYS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class DatabaseDidNotStart(Refusal):
    """The server ended again or did not answer in time."""

    code = "DATABASE_DID_NOT_START"
    zh = "自带的数据库没有启动。日志：{log}；最后几行：{tail}"
    en = "The platform's own database did not start. Log: {log}; its last lines: {tail}"
    retryable = True


class DatabaseDidNotStop(Refusal):
    """The server still runs after a minute."""

    code = "DATABASE_DID_NOT_STOP"
    zh = "自带的数据库没有停下来（{tail}）：请稍后再试，日志：{log}"
    en = "The platform's own database did not stop ({tail}): try again in a moment. Log: {log}"
    retryable = True


class DatabaseNotMade(Refusal):
    """Initdb failed."""

    code = "DATABASE_NOT_MADE"
    zh = "无法在 {folder} 创建数据库：{tail}"
    en = "The database could not be made in {folder}: {tail}"


class FolderNotWritable(Refusal):
    """The data folder cannot be written."""

    code = "FOLDER_NOT_WRITABLE"
    zh = "不能写入文件夹 {folder}：请检查权限或磁盘，或用 TANPUHUI_DATA_DIR 指定另一个文件夹。"
    en = "The folder {folder} cannot be written: check its permissions and the disk, or name another in TANPUHUI_DATA_DIR."


class LauncherBusy(Refusal):
    """Another launcher is starting or stopping this database."""

    code = "LAUNCHER_BUSY"
    zh = "另一个程序正在启动或停止 {folder} 里的数据库：请等它结束后再试。"
    en = "Another program is starting or stopping the database in {folder}: wait until it has finished and try again."
    retryable = True


class OtherOwner(Refusal):
    """The cluster was made by another account."""

    code = "DATABASE_OF_OTHER_OWNER"
    zh = "{folder} 里的数据库是另一个用户创建的：请用原来的用户执行，或换一个数据文件夹。"
    en = "The database in {folder} was made by another user: run as that user or choose another data folder."


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One PostgreSQL cluster on disk: where it lives, and which programs and account run it."""

    folder: Path
    home: Path
    programs: Path
    account: Account

    @property
    def data(self) -> Path:
        """The cluster's own files (PGDATA)."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.home / "server.log"

    @property
    def sockets(self) -> Path:
        """The folder of the Unix socket: in the home, or in a short private folder when that path is too long."""
        inside = self.home / "socket"
        if socket_path_fits(inside):
            return inside
        return binaries.private_folder(binaries.short_temporary_parent(), of=self.home, mode=0o711) / "socket"

    def url(self, role: str = APP_ROLE, *, database: str = DATABASE) -> str:
        """Return the address of a database of this cluster for a role."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets), safe='/')}"


def socket_path_fits(folder: Path) -> bool:
    """Say whether a socket in this folder has a path the operating system accepts."""
    return len(os.fsencode(folder / SOCKET_FILE)) < SOCKET_PATH_BYTES_MAX


def locate(folder: Path) -> Cluster:
    """Say where the cluster of a data folder lives and what runs it, without starting anything."""
    folder = folder.absolute()
    account = binaries.server_account()
    try:
        home = binaries.reachable_home(folder, account=account)
        programs = binaries.readable_programs(binaries.find_programs(), account=account, home=home)
    except OSError as problem:
        raise FolderNotWritable(folder=folder) from problem
    return Cluster(folder=folder, home=home, programs=programs, account=account)


def start(folder: Path, *, fast: bool = False, say: Callable[[str], None] | None = None) -> Cluster:
    """Make the cluster if there is none, start it if it does not run, and return it when it answers.

    `fast` gives up durability and is for throwaway test clusters only. `say` receives one sentence for whatever the
    caller should know: a cluster outside the project, an earlier start that was interrupted.
    """
    say = say or _write_line
    cluster = locate(folder)
    with _lock(cluster.folder):
        if cluster.home != cluster.folder:
            say(
                f"数据库放在 {cluster.home}，因为 {cluster.account.name} 账户进不了项目所在的文件夹。/ "
                f"The database lives in {cluster.home}, because the {cluster.account.name} account cannot enter the project's folder."
            )
        _forget_unfinished(cluster, say=say)
        if not cluster.data.exists():
            _make(cluster)
        _refuse_other_owner(cluster)
        if not _runs(cluster):
            _launch(cluster, fast=fast)
        _await_answer(cluster)
        _make_roles(cluster)
        _mark_ready(cluster)
    return cluster


def stop(folder: Path, *, immediate: bool = False) -> bool:
    """Stop the server of a data folder; return whether one was running. `immediate` is for throwaway clusters."""
    cluster = locate(folder)
    with _lock(cluster.folder):
        if not _runs(cluster):
            return False
        mode = "immediate" if immediate else "fast"
        ended = _pg_ctl(cluster, "stop", "-m", mode, "-w", "-t", "60")
        if ended.returncode != 0 and _runs(cluster):
            raise DatabaseDidNotStop(log=cluster.log, tail=ended.stdout.strip())
    return True


def status(folder: Path) -> str:
    """Return `running`, `stopped`, `unfinished` (an interrupted first start) or `absent`."""
    cluster = locate(folder)
    if not cluster.data.exists():
        return "unfinished" if any(cluster.home.glob(MAKING + "*")) else "absent"
    if _runs(cluster):
        return "running"
    return "stopped" if (cluster.home / READY_FILE).exists() else "unfinished"


def database_url(folder: Path, *, role: str = APP_ROLE) -> str:
    """Return the address for a role (`tanpuhui_app` unless another is named); the server need not run yet."""
    return locate(folder).url(role)


def drawn_number(cluster: Cluster) -> str:
    """Return the number that initdb drew for a running cluster: another one is another database."""
    import psycopg

    with psycopg.connect(cluster.url(SUPERUSER, database="postgres")) as connection:
        row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    return str(row[0]) if row else ""


def remove(folder: Path) -> None:
    """Stop a throwaway cluster and delete it with everything in it."""
    cluster = locate(folder)
    stop(folder, immediate=True)
    sockets = cluster.sockets
    for place in {
        cluster.home,
        cluster.folder,
        *([] if cluster.home in sockets.parents else [sockets.parent]),
    }:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Let one launcher at a time start or stop this cluster; the lock goes with its process, however that ends."""
    try:
        handle = (folder / "launcher.lock").open("a")
    except OSError as problem:
        raise FolderNotWritable(folder=folder) from problem
    with handle:
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LauncherBusy(folder=folder) from None
                time.sleep(0.1)
        yield


def _forget_unfinished(cluster: Cluster, *, say: Callable[[str], None]) -> None:
    """Remove what an interrupted initdb left behind; no server ever ran on it, because it never got its name."""
    for folder in cluster.home.glob(MAKING + "*"):
        say(
            "上一次创建数据库没有完成，现在重新创建。/ "
            "An earlier start ended before the database was made; it is made again."
        )
        shutil.rmtree(folder, ignore_errors=True)


def _make(cluster: Cluster) -> None:
    """Run initdb beside the cluster's place and move the finished files there, so that no half of one is ever found."""
    making = cluster.home / f"{MAKING}{os.getpid()}"
    try:
        _folder_for_server(cluster, making)
        made = cluster.account.run([cluster.programs / "initdb", "-D", making, *INITDB])
    except OSError as problem:
        raise FolderNotWritable(folder=cluster.home) from problem
    if made.returncode != 0:
        raise DatabaseNotMade(folder=cluster.home, tail=" | ".join(made.stdout.strip().splitlines()[-4:]))
    making.rename(cluster.data)


def _folder_for_server(cluster: Cluster, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if cluster.account.switch:
        os.chown(folder, cluster.account.uid, cluster.account.gid)
    folder.chmod(0o700)


def _refuse_other_owner(cluster: Cluster) -> None:
    if cluster.data.stat().st_uid != cluster.account.uid:
        raise OtherOwner(folder=cluster.data)


def _launch(cluster: Cluster, *, fast: bool) -> None:
    """Start the server; after a crash its old processes may need some seconds to go, so try again for a while."""
    try:
        _folder_for_server(cluster, cluster.sockets)
        _write_configuration(cluster, fast=fast)
        cluster.log.touch(mode=0o600)
        if cluster.account.switch:
            os.chown(cluster.log, cluster.account.uid, cluster.account.gid)
    except OSError as problem:
        raise FolderNotWritable(folder=cluster.home) from problem
    deadline = time.monotonic() + START_RETRY_S
    while True:
        started = _pg_ctl(cluster, "start", "-w", "-t", "300", "-l", str(cluster.log))
        if started.returncode == 0 or _runs(cluster):
            return
        if time.monotonic() > deadline:
            raise DatabaseDidNotStart(log=cluster.log, tail=_tail(cluster.log))
        if not _forget_stale_pid(cluster):
            time.sleep(0.5)


def _await_answer(cluster: Cluster) -> None:
    """Wait until the server takes connections: one found running may still be replaying its log after a crash."""
    import psycopg

    deadline = time.monotonic() + ANSWER_WAIT_S
    while True:
        try:
            psycopg.connect(cluster.url(SUPERUSER, database="postgres"), connect_timeout=5).close()
            return
        except psycopg.OperationalError as problem:
            if time.monotonic() > deadline:
                raise DatabaseDidNotStart(log=cluster.log, tail=_tail(cluster.log)) from problem
        time.sleep(0.1)


def _write_configuration(cluster: Cluster, *, fast: bool) -> None:
    """Write our settings afresh at each start, because the project may have been moved since."""
    settings = {**ALWAYS, **(FAST if fast else DURABLE), "unix_socket_directories": str(cluster.sockets)}
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
    ours = cluster.data / "tanpuhui.conf"
    ours.write_text("".join(lines), encoding="utf-8")
    main = cluster.data / "postgresql.conf"
    if "include = 'tanpuhui.conf'" not in main.read_text(encoding="utf-8"):
        with main.open("a", encoding="utf-8") as file:
            file.write("\ninclude = 'tanpuhui.conf'\n")
    if cluster.account.switch:
        os.chown(ours, cluster.account.uid, cluster.account.gid)


def _make_roles(cluster: Cluster) -> None:
    """Make the two roles and the database, and their rights on it; repeated at each start, so that an older one gains them.

    Postings stage their rows in temporary tables, hence that right.
    """
    import psycopg

    with psycopg.connect(cluster.url(SUPERUSER, database="postgres"), autocommit=True) as connection:
        roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for role in (OWNER_ROLE, APP_ROLE):
            if role not in roles:
                connection.execute(f'CREATE ROLE "{role}" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE')
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f'CREATE DATABASE "{DATABASE}" OWNER "{OWNER_ROLE}"')
        connection.execute(f'REVOKE ALL ON DATABASE "{DATABASE}" FROM PUBLIC')
        connection.execute(f'GRANT CONNECT, TEMPORARY ON DATABASE "{DATABASE}" TO "{APP_ROLE}"')


def _mark_ready(cluster: Cluster) -> None:
    mark = cluster.home / READY_FILE
    half = mark.with_suffix(".half")
    half.write_text(
        json.dumps({"database": DATABASE, "owner_role": OWNER_ROLE, "app_role": APP_ROLE}), encoding="utf-8"
    )
    half.rename(mark)


def _runs(cluster: Cluster) -> bool:
    """Say whether a server runs on this data folder, not merely a stranger with the number of an ended one."""
    try:
        number = (cluster.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except FileNotFoundError:
        return False
    if not number.isdigit() or _pg_ctl(cluster, "status").returncode != 0:
        return False
    return not PROCESSES.exists() or _stands_in(PROCESSES / number, cluster.data)


def _stands_in(process: Path, folder: Path) -> bool:
    """Say whether a process works in a folder, as all of a server's do in its data; an ended one works nowhere."""
    try:
        return (process / "cwd").resolve(strict=True) == folder.resolve()
    except PermissionError:
        return _owner(process) == folder.stat().st_uid  # not ours to look at: believe the number
    except OSError:
        return False


def _pg_ctl(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    return cluster.account.run([cluster.programs / "pg_ctl", "-D", cluster.data, *arguments], timeout=400)


def _forget_stale_pid(cluster: Cluster) -> bool:
    """Remove `postmaster.pid` when no process uses the data folder any more; a server's processes all stand in it.

    After a crash or reboot a stranger of the same account can hold the number in that file, or a process nobody
    collects still does, and PostgreSQL would refuse to start for ever.
    Where the processes cannot be listed, nothing is removed.
    """
    pid_file = cluster.data / "postmaster.pid"
    if not PROCESSES.exists() or not pid_file.exists():
        return False
    if any(_stands_in(entry, cluster.data) for entry in PROCESSES.iterdir() if entry.name.isdigit()):
        return False
    pid_file.unlink()
    return True


def _owner(entry: Path) -> int | None:
    try:
        return entry.stat().st_uid
    except OSError:
        return None


def _tail(log: Path, lines: int = 3) -> str:
    try:
        return " | ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-lines:])
    except OSError:
        return "—"


def main(arguments: list[str] | None = None) -> int:
    """Run the launcher by hand and return the exit status."""
    parser = argparse.ArgumentParser(prog="embedded_database", description="The platform's own PostgreSQL")
    parser.add_argument("verb", choices=["start", "stop", "status", "url"])
    parser.add_argument("--folder", type=Path, default=Path("var/database"))
    parser.add_argument("--role", choices=[APP_ROLE, OWNER_ROLE, SUPERUSER], default=APP_ROLE)
    options = parser.parse_args(arguments)
    try:
        answer = _obey(options.verb, options.folder, options.role)
    except Refusal as refusal:
        sys.stderr.write(f"{refusal.message('zh')}\n{refusal.message('en')}\n")
        return 1
    sys.stdout.write(answer + "\n")
    return 0


def _obey(verb: str, folder: Path, role: str) -> str:
    if verb == "start":
        return start(folder).url(role)
    if verb == "stop":
        return "stopped" if stop(folder) else "was not running"
    if verb == "url":
        return database_url(folder, role=role)
    return status(folder)


def _write_line(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
