"""`explain FOLDER INPUT --row N`: why a row counts as so many grams, or why it does not."""

from __future__ import annotations

import argparse
from typing import Any

import pyarrow.compute as pc

from tanpuhui.interfaces.commands.methodology.cells import values_of
from tanpuhui.interfaces.commands.methodology.explanation_page import page
from tanpuhui.interfaces.commands.methodology.folders import load
from tanpuhui.interfaces.commands.methodology.inputs import Input, open_input
from tanpuhui.interfaces.commands.methodology.sentences import Unusable, printable, show_refusal
from tanpuhui.interfaces.commands.methodology.summary import reason_sentence
from tanpuhui.science.engine import VersionBlocked, explain

COUNTS, DOES_NOT = 0, 1


def run(options: argparse.Namespace) -> int:
    """Print the explanation of one row."""
    version = load(options.folder, options.parameters)
    try:
        version.require_runnable()
    except VersionBlocked as refusal:
        show_refusal(refusal)
        return DOES_NOT
    with open_input(options.input, version, sheet=options.sheet) as source:
        row, reason = _row(source, options.row, str(options.input))
        values, fault = values_of(row, version, exponents=source.exponents)
    reason = reason or fault
    if reason is not None:
        # The row has no values to calculate with; the engine is not asked.
        print(printable(f"{options.row}: {reason_sentence(version, reason, locale=options.lang)} [{reason}]"))
        return DOES_NOT
    found = explain(version, values, locale=options.lang)
    if options.format == "json":
        print(found.as_json())
    elif options.format == "html":
        print(page(found, row=options.row))
    else:
        print("\n".join(map(printable, found.as_text().splitlines())))
    return COUNTS if found.reason is None else DOES_NOT


def _row(source: Input, number: int, name: str) -> tuple[dict[str, Any], str | None]:
    """Return the cells of the row, or the reason why it cannot be read. Raises Unusable when there is no such row."""
    last = 0
    for block in source.blocks:
        for fault in block.faults:
            last = max(last, fault.row_number)
            if fault.row_number == number:
                return {}, fault.reason
        if len(block.rows):
            last = max(last, pc.max(block.rows["row_number"]).as_py())
            here = block.rows.filter(pc.equal(block.rows["row_number"], number)).to_pylist()
            if here:
                return here[0], None
        if last > number:
            break
    raise Unusable(
        zh=f"{name} 没有第 {number} 行的数据（读到第 {last} 行）。",
        en=f"{name} has no row {number} (read up to row {last}).",
    )
