"""`make demo`, first half: prepares a fresh clone with nothing but Python, then hands over to its environment."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping

from tools.environment import RUNTIME_LOCK
from tools.preparation import hand_over, prepare
from tools.sentences import SetupRefusal
from tools.working_copy import WorkingCopy, demo_lock, only_one, refuse_unwritable, working_copy

HOST = "127.0.0.1"
DEFAULT_PORT = "8000"


def port_of(environ: Mapping[str, str]) -> int:
    """Return the port that `PORT` asks for, 8000 unless it says another."""
    text = environ.get("PORT") or DEFAULT_PORT
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SetupRefusal(
            f"PORT={text} 不是端口号：请用 1 到 65535 之间的数字。",
            f"PORT={text} is no port: use a number from 1 to 65535.",
        )
    return int(text)


def refuse_busy_port(port: int) -> None:
    """Refuse when another program listens on the port, or when this account may not use it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise SetupRefusal(
                f"当前用户不能使用端口 {port}：请换一个，例如 PORT=8001 make demo。",
                f"This user may not use port {port}: choose another, for example PORT=8001 make demo.",
            ) from None
        except OSError:
            raise SetupRefusal(
                f"端口 {port} 已被别的程序占用：请停掉那个程序，或换一个端口，例如 PORT={port + 1} make demo。",
                f"Port {port} is in use by another program: stop that one, or choose another port, for example PORT={port + 1} make demo.",
            ) from None


def refuse_second_demo(copy: WorkingCopy) -> None:
    """Refuse early when a demonstration already runs from this folder; the running half takes the lock for good."""
    path, refusal = demo_lock(copy)
    with only_one(path, refusal):
        return


def main() -> int:
    """Prepare, then become the running half inside the environment."""
    copy = working_copy()
    try:
        _prepare(copy)
    except SetupRefusal as refusal:
        refusal.show()
        return 1
    except KeyboardInterrupt:
        return 130
    return hand_over(copy, "tools.running_demo")


def _prepare(copy: WorkingCopy) -> None:
    refuse_unwritable(copy)
    refuse_second_demo(copy)
    port = port_of(os.environ)
    # With a record of an interrupted run it may be ours that holds the port: the running half ends that first.
    if not (copy.data / "demo-processes.json").exists():
        refuse_busy_port(port)
    prepare(copy, RUNTIME_LOCK)


if __name__ == "__main__":
    sys.exit(main())
