"""`run FOLDER INPUT -o OUTPUT`: calculate a file row by row, in blocks, so that its length does not matter."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.commands.methodology import outputs
from tanpuhui.interfaces.commands.methodology.calculation import Calculator, open_engine
from tanpuhui.interfaces.commands.methodology.folders import load
from tanpuhui.interfaces.commands.methodology.inputs import Block, open_input
from tanpuhui.interfaces.commands.methodology.sentences import Unusable, printable, show_refusal, writing
from tanpuhui.interfaces.commands.methodology.summary import Summary, reason_sentence
from tanpuhui.science.engine import MethodologyVersion, VersionBlocked

WRITTEN, REFUSED = 0, 1
PROGRESS_SECONDS = 0.5


def run(options: argparse.Namespace) -> int:
    """Calculate the input into the output and print the summary."""
    version = load(options.folder, options.parameters)
    try:
        version.require_runnable()
    except VersionBlocked as refusal:
        _say_blocked(refusal, options.parameters)
        return REFUSED
    outputs.kind_of(options.output)
    named = [path for path in (options.input, options.parameters) if path is not None]
    for path in (options.output, options.summary):
        if path is not None:
            outputs.refuse_unwanted(path, force=options.force, inputs=[*named, options.folder])
    summary = Summary(version=version)
    without = _calculate(options, version, summary)
    if options.summary is not None:
        _save(options.summary, summary)
    for line in summary.lines(options.lang, without=without):
        print(printable(line))
    return WRITTEN


def _say_blocked(refusal: Refusal, parameters: Path | None) -> None:
    show_refusal(refusal)
    if parameters is None:
        print(
            "  参数集用 --parameters 给出。/ Give the parameter set with --parameters.",
            file=sys.stderr,
        )


def _calculate(options: argparse.Namespace, version: MethodologyVersion, summary: Summary) -> tuple[str, ...]:
    """Stream the blocks through, and return the fields that the file does not have."""
    with (
        outputs.beside(options.output) as folder,
        open_engine(memory_bytes=options.memory, spill=folder / "spill") as tables,
        open_input(options.input, version, keep=options.keep, sheet=options.sheet) as source,
        contextlib.ExitStack() as stack,
    ):
        calculator = Calculator(version, tables, exponents=source.exponents)
        progress = stack.enter_context(_progress(options.lang))
        writer: outputs.Writer | None = None
        for block in source.blocks:
            found = _joined(block, calculator.calculate(block), version, options.reasons)
            if writer is None:
                writer = stack.enter_context(
                    outputs.open_output(options.output, found.schema, tables=tables, folder=folder)
                )
            with writing(options.output):
                writer.write(found)
            summary.add(found)
            progress(summary.rows)
        if writer is None:
            raise Unusable(zh=f"{options.input} 里没有数据行。", en=f"{options.input} holds no row.")
        return source.columns.without


def _joined(block: Block, results: pa.Table, version: MethodologyVersion, reasons: str | None) -> pa.Table:
    """Put the results beside what was read, and the rows that could not be read where they stood."""
    found = block.rows
    for name in results.column_names[1:]:
        found = found.append_column(name, results[name])
    if block.faults:
        missing = pa.table(
            {
                "row_number": pa.array([fault.row_number for fault in block.faults], pa.int64()),
                "reason": pa.array([fault.reason for fault in block.faults], pa.string()),
            }
        )
        found = pa.concat_tables([found, missing], promote_options="default").sort_by("row_number")
    if reasons:
        found = found.append_column("reason_text", _sentences(found["reason"], version, reasons))
    return found


def _sentences(reasons: pa.ChunkedArray, version: MethodologyVersion, locale: str) -> pa.ChunkedArray:
    codes = pc.unique(reasons).to_pylist()
    told = [None if code is None else reason_sentence(version, code, locale=locale) for code in codes]
    places = pc.index_in(reasons, value_set=pa.array(codes, pa.string()))
    return pc.take(pa.array(told, pa.string()), places)


def _save(path: Path, summary: Summary) -> None:
    with writing(path):
        path.write_text(json.dumps(summary.as_json(), ensure_ascii=False, indent=2) + "\n", "utf-8")


@contextlib.contextmanager
def _progress(locale: str) -> Iterator[Callable[[int], None]]:
    """Give a function that shows the rows done so far, on a terminal only, and clears the line at the end."""
    shown = 0.0
    terminal = sys.stderr.isatty()

    def tell(rows: int) -> None:
        nonlocal shown
        if terminal and time.monotonic() - shown > PROGRESS_SECONDS:
            shown = time.monotonic()
            print(f"\r{rows:,} {'rows' if locale == 'en' else '行'}", end="", file=sys.stderr, flush=True)

    try:
        yield tell
    finally:
        if terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
