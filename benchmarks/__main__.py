"""`python -m benchmarks intake --records 200000` and the other names: measure, and print ratios."""

from __future__ import annotations

import argparse

from benchmarks import scratch

PATH_SIZES = (1_000_000, 10_000_000, 30_000_000, 100_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        choices=[
            "cases",
            "intake",
            "explanation",
            "ledger",
            "methodology",
            "methodology-path",
            "recalculation",
        ],
    )
    parser.add_argument("--records", type=int, default=200_000, help="rows of each file")
    parser.add_argument(
        "--accounts", type=int, default=0, help="people who travel; a fifth of the records if not given"
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="measured pairs; one more runs first and is discarded"
    )
    parser.add_argument(
        "--format",
        choices=["csv", "ndjson", "parquet"],
        action="append",
        help="of the files; all if not given",
    )
    parser.add_argument(
        "--even", action="store_true", help="every card about as often as the next, not some more than others"
    )
    parser.add_argument(
        "--pgledger", default="", help="pgledger's SQL, brought in for the measurement of transfers"
    )
    given = parser.parse_args()
    if given.what == "explanation":
        from benchmarks import explanation

        explanation.run(repeats=given.repeats)
        return
    if given.what == "methodology":
        from benchmarks import methodology

        methodology.run(records=given.records, repeats=given.repeats)
        return
    if given.what == "methodology-path":
        from benchmarks import methodology_path

        sizes = [records for records in PATH_SIZES if records <= given.records]
        methodology_path.run(sizes=sizes, formats=["parquet", "csv", "ndjson"])
        return
    with scratch.database() as server:
        from benchmarks import cases, intake, ledger, recalculation

        print(server)
        if given.what == "cases":
            cases.run(cases=given.records, repeats=max(given.repeats, 30))
            return
        if given.what == "ledger":
            ledger.run(repeats=given.repeats, pgledger=given.pgledger)
            return
        if given.what == "recalculation":
            recalculation.run(records=given.records, accounts=given.accounts or max(1, given.records // 50))
            return
        intake.run(
            records=given.records,
            accounts=given.accounts or max(1, given.records // 5),
            repeats=given.repeats,
            formats=given.format or ["csv", "ndjson", "parquet"],
            even=given.even,
        )


if __name__ == "__main__":
    main()
