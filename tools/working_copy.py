"""The folders of a working copy, checked for writing, and the locks that keep two runs apart."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.sentences import SetupRefusal

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class WorkingCopy:
    """A clone of the project: where its environment, its data and its locks are."""

    root: Path
    data: Path

    @property
    def environment(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The interpreter of the virtual environment."""
        return self.environment / "bin" / "python"

    @property
    def database(self) -> Path:
        """The folder of the platform's own PostgreSQL."""
        return self.data / "database"


def working_copy(environ: Mapping[str, str] = os.environ, *, root: Path = ROOT) -> WorkingCopy:
    """Return the working copy this file stands in; `TANPUHUI_DATA_DIR` moves its data elsewhere."""
    return WorkingCopy(root=root, data=Path(environ.get("TANPUHUI_DATA_DIR") or root / "var").absolute())


def refuse_unwritable(copy: WorkingCopy) -> None:
    """Refuse when the project or its data folder cannot be written, before anything is half done."""
    for folder in (copy.root, copy.data):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as problem:
            raise SetupRefusal(
                f"不能写入文件夹 {folder}（{problem.strerror}）：请检查权限和磁盘空间，或换一个文件夹。",
                f"The folder {folder} cannot be written ({problem.strerror}): check its permissions and the disk, or use another folder.",
            ) from problem


@contextmanager
def only_one(path: Path, refusal: SetupRefusal) -> Iterator[None]:
    """Hold the lock file for the block, or refuse; the lock goes with the process, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refusal from None
        yield


def setup_lock(copy: WorkingCopy) -> tuple[Path, SetupRefusal]:
    """Return the lock of installing, and what the second comer is told."""
    return copy.data / "setup.lock", SetupRefusal(
        "另一个 make 命令正在这个文件夹里安装：请等它结束后再试。",
        "Another make command is installing in this folder: wait until it has finished and try again.",
    )


def demo_lock(copy: WorkingCopy) -> tuple[Path, SetupRefusal]:
    """Return the lock of the running demonstration, and what the second comer is told."""
    return copy.data / "demo.lock", SetupRefusal(
        "演示已经在这个文件夹里运行：请直接使用它，或先在那个窗口按 Ctrl-C 停止。",
        "The demonstration already runs from this folder: use that one, or stop it first with Ctrl-C in its window.",
    )
