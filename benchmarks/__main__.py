"""`python -m benchmarks intake --records 200000` and the other names: measure, and print ratios."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable

from benchmarks import scratch

PATH_SIZES = (1_000_000, 10_000_000, 30_000_000, 100_000_000)
FORMATS = ["csv", "ndjson", "parquet"]
Given = argparse.Namespace


def _people(given: Given, a_person: int = 5) -> int:
    return int(given.accounts or max(1, given.records // a_person))


IN_MEMORY: dict[str, Callable[[Given], dict[str, object]]] = {
    "explanation": lambda given: {"repeats": given.repeats},
    "methodology": lambda given: {"records": given.records, "repeats": given.repeats},
    "methodology_path": lambda given: {
        "sizes": [records for records in PATH_SIZES if records <= given.records],
        "formats": ["parquet", "csv", "ndjson"],
    },
}
"""Measurements that need no database, and what each is given."""

ON_A_SERVER: dict[str, Callable[[Given], dict[str, object]]] = {
    "cases": lambda given: {"cases": given.records, "repeats": max(given.repeats, 30)},
    "growth": lambda given: {"records": given.records, "accounts": _people(given)},
    "intake": lambda given: {
        "records": given.records,
        "accounts": _people(given),
        "repeats": given.repeats,
        "formats": given.format or FORMATS,
        "even": given.even,
    },
    "ledger": lambda given: {"repeats": given.repeats, "pgledger": given.pgledger},
    "long_file": lambda given: {
        "records": given.records,
        "accounts": given.accounts or int(given.records * 0.3),
        "repeats": given.repeats,
    },
    "peak_day": lambda given: {
        "records": given.records,
        "accounts": given.accounts or int(given.records * 0.3),
        "check": given.check,
    },
    "reads": lambda given: {
        "records": given.records,
        "accounts": _people(given),
        "repeats": given.repeats,
    },
    "recalculation": lambda given: {"records": given.records, "accounts": _people(given, 50)},
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = sorted(name.replace("_", "-") for name in (*IN_MEMORY, *ON_A_SERVER))
    parser.add_argument("what", choices=names)
    parser.add_argument("--records", type=int, default=200_000, help="rows of each file")
    parser.add_argument("--accounts", type=int, default=0, help="people; a fifth of the records if not given")
    parser.add_argument(
        "--repeats", type=int, default=3, help="measured pairs; one more runs first and is discarded"
    )
    parser.add_argument("--format", choices=FORMATS, action="append", help="of the files; all if not given")
    parser.add_argument(
        "--even", action="store_true", help="every card about as often as the next, not some more than others"
    )
    parser.add_argument(
        "--check", action="store_true", help="hold the books to the invariants after a peak day"
    )
    parser.add_argument(
        "--pgledger", default="", help="pgledger's SQL, brought in for the measurement of transfers"
    )
    given = parser.parse_args()
    name = given.what.replace("-", "_")
    if name in IN_MEMORY:
        importlib.import_module(f"benchmarks.{name}").run(**IN_MEMORY[name](given))
        return
    with scratch.database() as server:
        print(server)
        importlib.import_module(f"benchmarks.{name}").run(**ON_A_SERVER[name](given))


if __name__ == "__main__":
    main()
