"""`make demo`, second half: database, migrations, seed, web and worker, until it is told to stop.

Everything started here is ended here: by Ctrl-C, by SIGTERM, when a part ends by itself, or by the next run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tanpuhui.config import embedded_database
from tanpuhui.foundation.kernel.errors import Refusal
from tools.demo import HOST, port_of, refuse_busy_port
from tools.done_before import is_done, mark_done
from tools.processes import Processes
from tools.sentences import SetupRefusal, say
from tools.working_copy import WorkingCopy, demo_lock, only_one, working_copy

COMMANDS = "tanpuhui.interfaces.commands.main"
HEALTH_WAIT_S = 60.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEMO_SETTINGS = "tanpuhui.config.settings.demo"


class StopRequested(BaseException):
    """The person or the system asked us to stop."""


def main() -> int:
    """Run the demonstration and return the exit status; an orderly stop is a success."""
    copy = working_copy()
    _listen_for_stop()
    try:
        path, refusal = demo_lock(copy)
        with only_one(path, refusal), _processes(copy) as processes:
            _run(copy, processes)
    except StopRequested:
        return 0
    except SetupRefusal as refusal:
        refusal.show()
        return 1
    except Refusal as refusal:
        SetupRefusal(refusal.message("zh"), refusal.message("en")).show()
        return 1
    return 0


def _run(copy: WorkingCopy, processes: Processes) -> None:
    port = port_of(os.environ)
    left_over = processes.stop_left_over(marker=str(copy.environment))
    if left_over:
        say(
            "已结束上次中断的演示留下的进程",
            f"ended what an interrupted demonstration had left running ({', '.join(left_over)})",
        )
    refuse_busy_port(port)
    with _database(copy) as (app_url, owner_url, drawn_number):
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": DEMO_SETTINGS,
            "TANPUHUI_DATA_DIR": str(copy.data),
            "TANPUHUI_PUBLIC_URL": os.environ.get("TANPUHUI_PUBLIC_URL") or f"http://{HOST}:{port}",
            "DATABASE_URL": app_url,
            "DATABASE_OWNER_URL": owner_url,
            "PYTHONUNBUFFERED": "1",
        }
        _bring_up_to_date(copy, processes, environment, drawn_number)
        try:
            _serve(copy, processes, environment, port)
        finally:
            say("正在停止", "stopping")
            processes.stop()


@contextlib.contextmanager
def _processes(copy: WorkingCopy) -> Iterator[Processes]:
    """Give out the list of processes and end them all, undisturbed by further signals."""
    processes = Processes(record=copy.data / "demo-processes.json")
    try:
        yield processes
    finally:
        _ignore_signals()
        processes.stop()


@contextlib.contextmanager
def _database(copy: WorkingCopy) -> Iterator[tuple[str, str, str | None]]:
    """Give out the addresses for app and owner role and the cluster's own number; our own server is stopped at the end."""
    named = os.environ.get("DATABASE_URL")
    if named:
        yield named, os.environ.get("DATABASE_OWNER_URL") or named, None
        return
    say("启动数据库", "starting the database")
    try:
        cluster = embedded_database.start(copy.database)
        yield (
            cluster.url(),
            cluster.url(embedded_database.OWNER_ROLE),
            embedded_database.drawn_number(cluster),
        )
    finally:
        _ignore_signals()
        embedded_database.stop(copy.database)


def _bring_up_to_date(
    copy: WorkingCopy, processes: Processes, environment: dict[str, str], drawn_number: str | None
) -> None:
    """Migrate as the owner, which grants the app role its rights, seed, and write down who can sign in.

    All three are skipped when this code did them before on this database; never on a server of someone else's, where
    others may have changed what stands there.
    """
    if drawn_number is not None and is_done(copy, drawn_number) and _logins(copy).exists():
        return
    as_owner = {**environment, "DATABASE_URL": environment["DATABASE_OWNER_URL"]}
    say("更新数据库结构并授权", "migrating and granting")
    _step(copy, processes, as_owner, "migrate")
    say("准备演示数据", "seeding the demonstration")
    _step(copy, processes, environment, "demo", "seed")
    _logins(copy).touch(mode=0o600)
    wide = {**environment, "COLUMNS": str(max(100, shutil.get_terminal_size().columns))}
    _step(copy, processes, wide, "demo", "logins", log=_logins(copy))
    if drawn_number is not None:
        mark_done(copy, drawn_number)


def _logins(copy: WorkingCopy) -> Path:
    return copy.data / "demo-logins.txt"


def _step(
    copy: WorkingCopy, processes: Processes, environment: dict[str, str], *words: str, log: Path | None = None
) -> None:
    """Run one command of the platform to its end, or refuse to go on; with `log` its output goes there."""
    name = " ".join(words)
    status = processes.run(
        name, [str(copy.python), "-m", COMMANDS, *words], env=environment, cwd=copy.root, log=log
    )
    if status != 0:
        if log:
            sys.stderr.write(log.read_text(encoding="utf-8", errors="replace"))
        raise SetupRefusal(
            f"tanpuhui {name} 没有完成（退出码 {status}），原因见上：改正后再执行一次 make demo，会从这里继续。",
            f"tanpuhui {name} did not finish (status {status}), for the reason above: correct it and run make demo again, it goes on from here.",
        )


def _serve(copy: WorkingCopy, processes: Processes, environment: dict[str, str], port: int) -> None:
    """Start web and worker, say when they answer, and wait until someone or something ends it."""
    logs = copy.data / "log"
    logs.mkdir(parents=True, exist_ok=True)
    python = str(copy.python)
    web = ["-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--workers", "1"]
    web += ["--blocking-threads", "4", "--no-ws", "tanpuhui.config.wsgi:application"]
    parts = {"worker": ["-m", COMMANDS, "worker"], "web": web}
    say("启动网站和后台任务", "starting web and worker")
    for name, arguments in parts.items():
        processes.start(name, [python, *arguments], env=environment, cwd=copy.root, log=logs / f"{name}.log")
    _await_health(f"http://{HOST}:{port}/healthz", processes, logs)
    print(_logins(copy).read_text(encoding="utf-8"), flush=True)
    say(
        f"已就绪：http://{HOST}:{port}/ ，按 Ctrl-C 停止，日志在 {logs}",
        f"ready; Ctrl-C stops everything, logs are in {logs}",
    )
    while True:
        _refuse_ended(processes, logs)
        time.sleep(0.5)


def _await_health(url: str, processes: Processes, logs: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + HEALTH_WAIT_S
    answer = "—"
    while time.monotonic() < deadline:
        _refuse_ended(processes, logs)
        try:
            with direct.open(url, timeout=5):
                return
        except urllib.error.HTTPError as problem:
            answer = f"HTTP {problem.code}"
        except OSError as problem:
            answer = str(problem)
        time.sleep(0.1)
    raise SetupRefusal(
        f"网站在 {HEALTH_WAIT_S:.0f} 秒内没有就绪（{url}：{answer}），日志：{logs / 'web.log'}",
        f"The web part was not ready within {HEALTH_WAIT_S:.0f} s ({url}: {answer}); its log: {logs / 'web.log'}",
    )


def _refuse_ended(processes: Processes, logs: Path) -> None:
    name = processes.ended()
    if name is None:
        return
    log = logs / f"{name}.log"
    sys.stderr.write(
        "".join(log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)[-20:])
    )
    raise SetupRefusal(
        f"{name} 进程意外结束，最后几行日志见上，全部在 {log}。",
        f"The {name} process ended by itself; its last lines stand above, all of them in {log}.",
    )


def _listen_for_stop() -> None:
    def ask(_number: int, _frame: FrameType | None) -> None:
        _ignore_signals()
        raise StopRequested

    for number in STOP_SIGNALS:
        signal.signal(number, ask)


def _ignore_signals() -> None:
    """From now on nothing interrupts the cleaning up, which takes bounded time."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
