"""The virtual environment: made once, filled from a lock with hashes, and skipped when nothing has changed."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from tools.sentences import SetupRefusal, say
from tools.working_copy import WorkingCopy

RUNTIME_LOCK = "requirements.txt"
DEVELOPMENT_LOCK = "requirements-dev.txt"  # holds everything of the runtime lock, at the same versions
NODE_LOCK = "requirements-node.txt"
STAMP = "tanpuhui-setup.json"
NETWORK_SIGNS = (
    "NewConnectionError",
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "Max retries exceeded",
    "ProxyError",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "(from versions: none)",  # pip's word when an index answers nothing at all
)


def ensure_environment(copy: WorkingCopy, lock: str) -> None:
    """Make `.venv` hold exactly what the lock says and know our package; done already means nothing is done."""
    stamp = _read_stamp(copy)
    if stamp.get("place") != _place(copy) or not _works(copy):
        if copy.environment.exists() and stamp:
            say("虚拟环境不再适用，重新创建", "the virtual environment no longer fits and is made again")
            shutil.rmtree(copy.environment)
        stamp = {}
    if _installed(copy, stamp, lock):
        return
    if not _works(copy):
        _make(copy)
    say("安装 Python 依赖", "installing the Python packages")
    _write_stamp(copy, {"place": _place(copy)})
    install_lock(copy, lock)
    _make_package_known(copy)
    _write_stamp(copy, {"place": _place(copy), "locks": {lock: _digest(copy.root / lock)}})


def install_lock(copy: WorkingCopy, lock: str) -> None:
    """Install a lock file with its hashes through uv when there is one, else through pip."""
    command = [
        str(copy.python),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
    ]
    command += ["--no-compile", "--no-deps", "--require-hashes", "-r", lock]
    uv = shutil.which("uv")
    if uv:
        quick = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(copy.python),
            "--require-hashes",
            "--no-deps",
        ]
        if (
            subprocess.run([*quick, "-r", lock], cwd=copy.root, capture_output=True, check=False).returncode
            == 0
        ):
            return
    done = subprocess.run(
        command, cwd=copy.root, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        raise _install_refusal(lock, done.stderr + done.stdout)


def looks_like_no_network(output: str) -> bool:
    """Say whether a package tool's output speaks of the network rather than of a package."""
    return any(sign in output for sign in NETWORK_SIGNS)


def _install_refusal(lock: str, output: str) -> SetupRefusal:
    if looks_like_no_network(output):
        return SetupRefusal(
            f"下载 {lock} 中的依赖失败：连不上软件包仓库，请检查网络或 pip 的镜像设置后重试。",
            f"The packages of {lock} could not be fetched: the package index cannot be reached; check the network or pip's index setting and try again.",
        )
    last = " | ".join([line for line in output.strip().splitlines() if line.strip()][-3:])
    return SetupRefusal(
        f"安装 {lock} 失败：{last}。改正后重新执行同一条命令。",
        f"Installing {lock} failed: {last}. Correct that and run the same command again.",
    )


def _make(copy: WorkingCopy) -> None:
    if copy.environment.exists():
        say(
            "上次的虚拟环境没有建完，重新创建",
            "the virtual environment of an earlier run is unfinished and is made again",
        )
        shutil.rmtree(copy.environment)
    say("创建虚拟环境", "making the virtual environment")
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(copy.environment)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if made.returncode != 0:
        shutil.rmtree(copy.environment, ignore_errors=True)
        raise SetupRefusal(
            f"{sys.executable} 不能创建虚拟环境：请安装它的 venv 组件（Debian：apt install python3-venv），或用 PYTHON=路径 指明另一个。",
            f"{sys.executable} cannot make a virtual environment: install its venv part (Debian: apt install python3-venv), or name another with PYTHON=path.",
        )


def _make_package_known(copy: WorkingCopy) -> None:
    """Let the environment import `src` and give it the `tanpuhui` command; no build tool is needed for that."""
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    asked = subprocess.run([str(copy.python), "-c", question], capture_output=True, text=True, check=True)
    (Path(asked.stdout.strip()) / "tanpuhui.pth").write_text(f"{copy.root / 'src'}\n", encoding="utf-8")
    command = copy.environment / "bin" / "tanpuhui"
    command.write_text(
        '#!/bin/sh\nexec "$(dirname "$0")/python" -m tanpuhui.interfaces.commands.main "$@"\n',
        encoding="utf-8",
    )
    command.chmod(0o755)


def _works(copy: WorkingCopy) -> bool:
    try:
        question = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        tried = subprocess.run([str(copy.python), "-c", question], capture_output=True, check=False)
    except OSError:
        return False
    return tried.returncode == 0


def _place(copy: WorkingCopy) -> str:
    """Say what an environment is tied to: its folder (its commands name it) and the kind of machine."""
    return f"{copy.root} · {platform.machine()}"


def _installed(copy: WorkingCopy, stamp: dict[str, object], lock: str) -> bool:
    locks = stamp.get("locks")
    if not isinstance(locks, dict):
        return False
    enough = {lock, DEVELOPMENT_LOCK} if lock == RUNTIME_LOCK else {lock}
    return any(name in enough and locks[name] == _digest(copy.root / name) for name in locks)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_stamp(copy: WorkingCopy) -> dict[str, object]:
    try:
        stamp = json.loads((copy.environment / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _write_stamp(copy: WorkingCopy, stamp: dict[str, object]) -> None:
    path = copy.environment / STAMP
    half = path.with_suffix(f".{os.getpid()}")
    half.write_text(json.dumps(stamp), encoding="utf-8")
    half.rename(path)
