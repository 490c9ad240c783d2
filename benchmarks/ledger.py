"""Transfers of the ledger, driven by pgbench: random and hot accounts, beside TPC-B and, where it is given, pgledger.

All scripts take turns, round by round, on one server in one run; medians of the rounds are compared. pgledger is somebody
else's (MIT) and is brought in for the measurement only: `--pgledger FILE` names its SQL, its ULID functions in front.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import psycopg
import psycopg.conninfo
from django.db import connection, transaction

from tanpuhui.books.ledger import queries
from tanpuhui.books.ledger.operations import (
    AccountDayLegs,
    open_account,
    open_accounts,
    post_account_days,
    system_account,
)

ACCOUNTS = 100_000
CLIENTS = 8
SECONDS = 3
AT = datetime(2026, 10, 1, tzinfo=UTC)
DAY = date(2026, 10, 1)
TPS = re.compile(r"tps = ([0-9.]+)")
ERRORS = re.compile(r"number of failed transactions: ([0-9]+)")


def run(*, repeats: int, pgledger: str) -> None:
    program = shutil.which("pgbench")
    if program is None:
        print("skipped: there is no pgbench here")
        return
    first, merchant, reserved = _open()
    names = {
        "ours, random accounts": _ours(first, f"(:a + 1 + :r) % {ACCOUNTS} + {first}"),
        "ours, every transfer to one system account": _ours(first, str(reserved)),
        "ours, every transfer to one merchant": _ours(first, str(merchant)),
    }
    subprocess.run([program, "-i", "-q", "-s", "10", _url()], check=True, capture_output=True)
    scripts: dict[str, str | None] = {"pgbench TPC-B": None, **names}
    if pgledger:
        _open_pgledger(Path(pgledger))
        scripts["pgledger, random accounts"] = _theirs(f"(:a + 1 + :r) % {ACCOUNTS} + 1")
        scripts["pgledger, hot account"] = _theirs("0")
    else:
        print("pgledger is not measured: --pgledger names its SQL")
    found: dict[str, list[float]] = {name: [] for name in scripts}
    with tempfile.TemporaryDirectory() as folder:
        for place in range(repeats + 1):
            for name, script in scripts.items():
                tps = _pgbench(program, script, Path(folder))
                if place:
                    found[name].append(tps)
    _print(found)
    broken = list(queries.breaches())
    print(f"invariants of the ledger: {len(broken)} breaches")


def _open() -> tuple[int, int, int]:
    """Open the accounts, give each plenty of points, and return the first, a merchant's and a system account."""
    with transaction.atomic():
        opened = sorted(open_accounts(owner_type="user", owner_ids=range(1, ACCOUNTS + 1), at=AT).values())
        assert opened[-1] - opened[0] == ACCOUNTS - 1, "the accounts are not in one row"
        merchant = open_account(owner_type="merchant", owner_id=1, at=AT)
        reserved = system_account("points:reserved")
        size = len(opened)
        post_account_days(
            kind="benchmark", reference="plenty", at=AT, system_code="benchmark:plenty",
            legs=AccountDayLegs(
                account_id=np.array(opened, np.int64), day=np.full(size, DAY, "datetime64[D]"),
                grams=np.zeros(size, np.int64), points=np.full(size, 10**9, np.int64), n_records=np.zeros(size, np.int64),
            ),
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze ledger_balance")
    return opened[0], merchant, reserved


def _ours(first: int, credit: str) -> str:
    return (
        f"\\set a random(0, {ACCOUNTS - 1})\n\\set r random(0, {ACCOUNTS - 2})\n\\set debit :a + {first}\n"
        f"\\set credit {credit}\n"
        "select ledger_transfer_v2('benchmark', gen_random_uuid()::text, now(), date '2026-10-01', :debit, :credit, "
        "0, 1, 0, false);\n"
    )


def _open_pgledger(path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(path.read_text(encoding="utf-8"))
        cursor.execute("create table numbered (n int primary key, id text)")
        cursor.execute(
            f"insert into numbered select n, (pgledger_create_account('account ' || n, 'POINTS')).id from generate_series(0, {ACCOUNTS}) n"
        )
        cursor.execute("analyze numbered")
        cursor.execute("analyze pgledger_accounts")


def _theirs(credit: str) -> str:
    return (
        f"\\set a random(0, {ACCOUNTS - 1})\n\\set r random(0, {ACCOUNTS - 2})\n\\set debit :a + 1\n\\set credit {credit}\n"
        "select * from pgledger_create_transfer((select id from numbered where n = :debit), "
        "(select id from numbered where n = :credit), 1);\n"
    )


def _url() -> str:
    connection.ensure_connection()
    known = connection.connection.info.get_parameters()
    return psycopg.conninfo.make_conninfo(
        **{name: known[name] for name in ("user", "password", "host", "port", "dbname") if name in known}
    )


def _pgbench(program: str, script: str | None, folder: Path) -> float:
    arguments = ["-n", "-M", "prepared", "-j", "2", "-c", str(CLIENTS), "-T", str(SECONDS)]
    if script is not None:
        path = folder / "script.sql"
        path.write_text(script, encoding="utf-8")
        arguments += ["-f", str(path)]
    done = subprocess.run([program, *arguments, _url()], capture_output=True, text=True, check=False)
    tps, failed = TPS.search(done.stdout), ERRORS.search(done.stdout)
    if done.returncode or tps is None or (failed and int(failed[1])):
        sys.exit(f"pgbench failed: {done.stdout}{done.stderr}")
    return float(tps[1])


def _print(found: dict[str, Sequence[float]] | dict[str, list[float]]) -> None:
    medians = {name: statistics.median(tps) for name, tps in found.items()}
    for name, tps in found.items():
        print(f"{name:48}{medians[name]:>9,.0f} per second [{min(tps):,.0f}-{max(tps):,.0f}]")
    ours = medians["ours, random accounts"]

    def ratio(words: str, above: float, below: str) -> None:
        if below in medians:
            print(f"{words:48}{above / medians[below]:>9.2f} x")

    ratio("random accounts, of TPC-B", ours, "pgbench TPC-B")
    ratio("random accounts, of pgledger", ours, "pgledger, random accounts")
    for hot in ("ours, every transfer to one system account", "ours, every transfer to one merchant"):
        ratio(
            f"{hot.removeprefix('ours, every transfer to ')}, of random accounts",
            medians[hot],
            "ours, random accounts",
        )
        ratio(
            f"{hot.removeprefix('ours, every transfer to ')}, of pgledger's hot account",
            medians[hot],
            "pgledger, hot account",
        )
