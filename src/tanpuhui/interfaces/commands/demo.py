"""`tanpuhui demo seed|logins`: 演示省 / the living province: seed it, or print who can sign in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.interfaces.commands.demonstration.cast import read_cast
from tanpuhui.interfaces.commands.demonstration.story import Memory, logins, tell


def main(arguments: Sequence[str]) -> int:
    """Do what the first argument says; return 0, or 2 when it says nothing known."""
    wanted = arguments[0] if arguments else ""
    if wanted not in {"seed", "logins"}:
        print(
            "用法：tanpuhui demo seed 或 tanpuhui demo logins / usage: demo seed, demo logins",
            file=sys.stderr,
        )
        return 2
    if not settings.TANPUHUI_DEMO:
        print("这不是演示环境，不装演示数据。/ Not a demonstration: its settings say so.", file=sys.stderr)
        return 2
    folder = Path(settings.TANPUHUI_JURISDICTION_DIR)
    memory_path = Path(settings.TANPUHUI_DATA_DIR) / "demonstration.json"
    today = business_day(timezone.now())
    console = Console()
    if wanted == "seed":
        tell(
            folder=folder,
            methodologies=Path(settings.TANPUHUI_METHODOLOGIES_DIR),
            memory_path=memory_path,
            today=today,
            console=console,
        )
        return 0
    _print_logins(console, folder, Memory.recall(memory_path, today=today))
    return 0


def _print_logins(console: Console, folder: Path, memory: Memory) -> None:
    table = Table(title="演示登录 / demonstration logins", title_justify="left", box=None)
    for heading in ("用户名 / sign in as", "姓名 / name", "角色 / role", "机构 / organisation"):
        table.add_column(heading, no_wrap=True)
    for row in logins(read_cast(folder)):
        table.add_row(*row)
    console.print(table)
    console.print(
        f"机构账号密码 / password of every organisation's person: {memory.password}", highlight=False
    )
    console.print(
        "第二步验证：登录页会显示演示口令，只有演示环境这样 / second factor: the sign-in page shows the code, in the demonstration only",
        highlight=False,
        soft_wrap=True,
    )
    outbox = Path(settings.TANPUHUI_DATA_DIR) / "outbox" / "sms.log"
    console.print(
        f"市民验证码写在 / citizens' codes are written to: {outbox}", highlight=False, soft_wrap=True
    )
