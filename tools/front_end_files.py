"""The few front-end files and print fonts: fetched as npm packages, then only the listed files are copied.

The list is `tools/front_end_files.json`; the copies lie in the git-ignored `build/vendor`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.environment import NODE_LOCK, install_lock, looks_like_no_network
from tools.sentences import SetupRefusal, say
from tools.working_copy import WorkingCopy

LIST = Path(__file__).with_suffix(".json")
NODE_MAJOR_MIN = 20
STAMP = ".copied.json"
SOURCE_MAP_LINE = re.compile(rb"\n?(/\*|//)# sourceMappingURL=[^\n]*\n?\Z")


def ensure_front_end_files(copy: WorkingCopy) -> None:
    """Have every listed file in its place; done already means nothing is done and no Node is needed."""
    listed = json.loads(LIST.read_text(encoding="utf-8"))
    target = copy.root / listed["target"]
    wanted = _fingerprint(copy)
    if _read_stamp(target) == wanted and all((target / entry["to"]).is_file() for entry in listed["files"]):
        return
    say("获取前端文件与字体", "fetching the front-end files and fonts")
    _run_npm(copy, _node_environment(copy))
    _copy(copy.root / "node_modules", target, listed["files"])
    (target / STAMP).write_text(json.dumps(wanted), encoding="utf-8")


def system_node_is_enough(environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether `node` (20 or newer) and `npm` stand on the path."""
    path = environ.get("PATH", "")
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if not node or not npm:
        return False
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, env=dict(environ))
    found = re.match(r"v(\d+)\.", told.stdout)
    return bool(found) and int(found.group(1)) >= NODE_MAJOR_MIN if found else False


def _node_environment(copy: WorkingCopy) -> dict[str, str]:
    """Return an environment whose path holds node and npm; without system ones, those that a wheel brings."""
    if system_node_is_enough():
        return dict(os.environ)
    folder = copy.environment / "bin"
    if not (folder / "npm").exists():
        say(
            f"本机没有 Node {NODE_MAJOR_MIN}+，改用软件包里的",
            f"no Node {NODE_MAJOR_MIN}+ here, taking the one a package brings",
        )
        try:
            install_lock(copy, NODE_LOCK)
        except SetupRefusal as problem:
            raise SetupRefusal(
                f"需要 Node {NODE_MAJOR_MIN}+ 来取前端文件，而本机没有，也下载不到：请安装 Node，或接通网络后重试。",
                f"Node {NODE_MAJOR_MIN}+ is needed for the front-end files; this machine has none and it could not be fetched: install Node, or connect to the network and try again.",
            ) from problem
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def _run_npm(copy: WorkingCopy, environment: dict[str, str]) -> None:
    npm = shutil.which("npm", path=environment["PATH"]) or "npm"
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=copy.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    output = done.stderr + done.stdout
    if looks_like_no_network(output):
        raise SetupRefusal(
            "下载前端文件失败：连不上 npm 仓库，请检查网络或 npm 的镜像设置后重试。",
            "The front-end files could not be fetched: the npm registry cannot be reached; check the network or npm's registry setting and try again.",
        )
    last = " | ".join(line for line in output.strip().splitlines()[:4] if line.strip())
    raise SetupRefusal(f"npm ci 失败：{last}", f"npm ci failed: {last}")


def _copy(packages: Path, target: Path, files: list[dict[str, str]]) -> None:
    half = target.with_name(target.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    for entry in files:
        source, place = packages / entry["package"] / entry["from"], half / entry["to"]
        if not source.is_file():
            raise SetupRefusal(
                f"软件包 {entry['package']} 里没有 {entry['from']}：请核对 tools/front_end_files.json 与版本。",
                f"The package {entry['package']} holds no {entry['from']}: check tools/front_end_files.json against its version.",
            )
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.suffix in {".css", ".js"}:
            # A manifest storage follows this line, and the map it names is ten times the file and of no use here.
            place.write_bytes(SOURCE_MAP_LINE.sub(b"\n", source.read_bytes()))
        else:
            shutil.copyfile(source, place)
    shutil.rmtree(target, ignore_errors=True)
    half.rename(target)


def _fingerprint(copy: WorkingCopy) -> dict[str, str]:
    paths = {"lock": copy.root / "package-lock.json", "list": LIST}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}


def _read_stamp(target: Path) -> object:
    try:
        return json.loads((target / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
