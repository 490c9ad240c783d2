"""Everything between a fresh clone and a working copy that can run: packages, front-end files."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

from tools.environment import RUNTIME_LOCK, ensure_environment
from tools.front_end_files import ensure_front_end_files, system_node_is_enough
from tools.sentences import SetupRefusal, say
from tools.working_copy import WorkingCopy, only_one, refuse_unwritable, setup_lock, working_copy


def prepare(copy: WorkingCopy, lock: str) -> None:
    """Bring the working copy to the state of its lock files; a second call finds nothing to do."""
    refuse_unwritable(copy)
    path, refusal = setup_lock(copy)
    with only_one(path, refusal):
        if not system_node_is_enough():
            ensure_environment(copy, lock)  # it brings the Node that fetches the front-end files
            ensure_front_end_files(copy)
            return
        with ThreadPoolExecutor(max_workers=2) as pool:
            files = pool.submit(ensure_front_end_files, copy)
            ensure_environment(copy, lock)
            files.result()


def hand_over(copy: WorkingCopy, module: str, arguments: Sequence[str] = ()) -> NoReturn:
    """Become the given module of ours inside the environment: same process, so signals and status are its own."""
    os.chdir(copy.root)
    os.execv(copy.python, [str(copy.python), "-m", module, *arguments])  # noqa: S606  a fixed program takes our place


def main() -> int:
    """Prepare for running only; a server does this at installation and at each upgrade."""
    try:
        prepare(working_copy(), RUNTIME_LOCK)
    except SetupRefusal as refusal:
        refusal.show()
        return 1
    except KeyboardInterrupt:
        return 130
    say("已就绪", "ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
