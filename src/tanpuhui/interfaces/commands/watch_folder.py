"""`tanpuhui watch-folder`: 收取伙伴放进文件夹的文件 / take the files that partners drop in their folders.

Looks again every few seconds until it is stopped, or once (--once). One watcher for one root. Layout and steps:
docs/operations.md. Exit status: 0 stopped or looked once, 1 somebody watches this root already, 2 wrong call.
"""

from __future__ import annotations

import argparse
import fcntl
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from django.db import close_old_connections
from django.utils import timezone

from tanpuhui.interfaces.commands.partner_folders import folders

EVERY_S = 10


def main(arguments: Sequence[str]) -> int:
    """Watch a root and say what was taken and refused."""
    parser = argparse.ArgumentParser(prog="tanpuhui watch-folder", description=__doc__)
    parser.add_argument("root", type=Path, help="伙伴文件夹的根 / the root of the partners' folders")
    parser.add_argument(
        "--every", type=int, default=EVERY_S, metavar="SECONDS", help="间隔 / how often to look"
    )
    parser.add_argument("--once", action="store_true", help="只看一遍 / look once")
    parser.add_argument("--lang", choices=["zh", "en"], default="zh")
    given = parser.parse_args(arguments)
    root: Path = given.root
    if not root.is_dir():
        print(
            f"没有文件夹 {root}。" if given.lang == "zh" else f"There is no folder {root}.", file=sys.stderr
        )
        return 2
    with (root / ".watching").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            words = "已有另一个进程在收取这个文件夹。", "Another process watches this folder already."
            print(words[given.lang == "en"], file=sys.stderr)
            return 1
        while True:
            look(root, given.lang)
            if given.once:
                return 0
            time.sleep(max(1, given.every))
            close_old_connections()


def look(root: Path, language: str) -> None:
    """Look once at every folder under the root."""
    for folder in folders(root):
        for moved in folder.look(at=timezone.now()):
            if language == "zh":
                became = f"批次 {moved.batch_id}" if moved.batch_id is not None else f"拒收 {moved.code}"
            else:
                became = f"batch {moved.batch_id}" if moved.batch_id is not None else f"refused {moved.code}"
            print(f"{moved.partner} {folder.path.name} {moved.name}: {became}", flush=True)
