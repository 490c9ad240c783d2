"""`tanpuhui export-records`: 把一个场景一个月的记录导出成 Parquet / a scenario's month of records as Parquet files.

Amounts only, under account numbers that name nobody. The folder is laid out as engines expect it:
scenario=…/month=…/version=…/bucket=…/posting-….parquet. Exit status: 0 done, 1 refused, 2 wrong call.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from django.utils import timezone
from pyarrow import parquet

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import export_records
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.science.methodology import queries as methodology


def main(arguments: Sequence[str]) -> int:
    """Write the files and say how many records they hold."""
    parser = argparse.ArgumentParser(prog="tanpuhui export-records", description=__doc__)
    parser.add_argument("--scenario", required=True, help="场景 / the scenario's code")
    parser.add_argument("--month", required=True, help="月份，如 2026-11 / the month")
    parser.add_argument("--purpose", required=True, help="导出的目的，记入审计 / why; it goes into the audit")
    parser.add_argument(
        "--to", required=True, type=Path, metavar="FOLDER", help="空的文件夹 / an empty folder"
    )
    parser.add_argument("--lang", choices=["zh", "en"], default="zh")
    given = parser.parse_args(arguments)
    folder: Path = given.to
    if folder.exists() and any(folder.iterdir()):
        print(
            f"{folder} 不是空的：请换一个文件夹。"
            if given.lang == "zh"
            else f"{folder} is not empty: name another folder.",
            file=sys.stderr,
        )
        return 2
    try:
        found = export_records(
            actor=SYSTEM, at=timezone.now(), scenario=given.scenario, month=given.month, purpose=given.purpose
        )
    except Refusal as refusal:
        print(refusal.message(given.lang), file=sys.stderr)
        return 1
    written = 0
    for chunk in activity.exported_records(found.posting_ids):
        version = methodology.version(chunk.methodology_version_id)
        place = (
            folder / f"scenario={found.scenario}" / f"month={found.month}"
            / f"version={version.code}-{version.version}" / f"bucket={chunk.bucket:03d}"
        )  # fmt: skip
        place.mkdir(parents=True, exist_ok=True)
        parquet.write_table(chunk.rows, place / f"posting-{chunk.posting_id}.parquet", compression="zstd")
        written += chunk.rows.num_rows
    print(
        f"{written:,} 条记录，{len(found.posting_ids)} 笔入账，写入 {folder}"
        if given.lang == "zh"
        else f"{written:,} records of {len(found.posting_ids)} postings, written to {folder}"
    )
    return 0
