"""The acts in order, with a progress bar. A broken-off run goes on where it stopped: every act repeats without effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tanpuhui.foundation.identity.operations import random_password
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.interfaces.commands.demonstration import (
    admitting,
    certifying,
    correcting,
    founding,
    living,
    rewarding,
)
from tanpuhui.interfaces.commands.demonstration.cast import Cast, read_cast
from tanpuhui.interfaces.commands.demonstration.people import invent_citizens
from tanpuhui.interfaces.commands.demonstration.stage import Stage


@dataclass(frozen=True, slots=True)
class Act:
    """One part of the story: what the progress bar says, and what happens."""

    words: str
    play: Callable[[Stage], None]


ACTS = (
    Act("装载规则 rules", founding.load_rules),
    Act("机构入驻 organisations", founding.admit_organisations),
    Act("方法学备案 methodologies", founding.file_methodologies),
    Act("分中心初审 sub-centres", admitting.train_sub_centres),
    Act("场景准入 scenarios", admitting.admit_scenarios),
    Act("项目与账户 projects", founding.open_books),
    Act("市民开户 citizens", founding.admit_citizens),
    Act("行为入账 behaviours", living.live),
    Act("数据更正 corrections", correcting.answer_corrections),
    Act("归集与签发 pools and issuance", certifying.certify),
    Act("转让与消纳 transfer and retirement", certifying.trade_and_retire),
    Act("积分兑换 rewards", rewarding.redeem),
    Act("商户结算 settlement", rewarding.settle),
    Act("方法学修订 revisions", founding.propose_revisions),
    Act("入驻申请 application", founding.apply_for_organisation),
    Act("场景对接 docking", admitting.leave_one_in_docking),
    Act("公开日志 public log", founding.sequence_log),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What must stay the same when a broken-off run goes on: the day it began, and the password it made."""

    today: date
    password: str
    complete: bool

    def save(self, path: Path) -> None:
        """Write it where only this user can read it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        told = {"today": self.today.isoformat(), "password": self.password, "complete": self.complete}
        path.write_text(json.dumps(told), "utf-8")

    @classmethod
    def recall(cls, path: Path, *, today: date) -> Memory:
        """Return what an earlier run wrote, or begin anew."""
        if path.exists():
            told = json.loads(path.read_text("utf-8"))
            return cls(
                today=date.fromisoformat(told["today"]),
                password=told["password"],
                complete=bool(told["complete"]),
            )
        return cls(today=today, password=random_password(), complete=False)


def tell(*, folder: Path, methodologies: Path, memory_path: Path, today: date, console: Console) -> Memory:
    """Seed the living province through operations and journeys, or say that it stands already."""
    memory = Memory.recall(memory_path, today=today)
    standing = bool(organisations())
    if memory.complete and standing:
        console.print("演示数据已就绪。/ The demonstration stands already.")
        return memory
    if memory.complete:
        # The database was made anew since; the day begins again, the password stays what was printed.
        memory = Memory(today=today, password=memory.password, complete=False)
    if standing:
        console.print("上次的演示数据没有装完，接着装。/ An earlier run broke off; going on from there.")
    memory.save(memory_path)
    stage = Stage(
        cast=read_cast(folder),
        folder=folder,
        methodologies=methodologies,
        today=memory.today,
        password=memory.password,
    )
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn(),
        console=console,
    ) as progress:  # fmt: skip
        bar = progress.add_task("", total=len(ACTS))
        for act in ACTS:
            progress.update(bar, description=act.words)
            act.play(stage)
            progress.advance(bar)
    done = Memory(today=memory.today, password=memory.password, complete=True)
    done.save(memory_path)
    return done


def logins(cast: Cast) -> list[tuple[str, str, str, str]]:
    """Return (user name or phone, name, role, organisation) of everybody who can sign in; citizens are one of many."""
    citizen = invent_citizens(cast)[0]
    rows = [(citizen.phone, citizen.name, "citizen", "市民 / citizen")]
    rows.extend(
        (player.username, player.name, player.role, troupe.name)
        for troupe in cast.troupes
        for player in troupe.players
    )
    return rows
