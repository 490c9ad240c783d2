"""The review sheet (评审表) of the jurisdiction's folder: `review/methodology-<version>.yaml`, read with every text in its place."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from functools import lru_cache
from pathlib import Path

from tanpuhui.science.engine.bounded_yaml import read_yaml
from tanpuhui.science.engine.reader import Reader, unique
from tanpuhui.science.methodology.domain import Criterion, ReviewField, ReviewSheet

SCORE_MAX_MOST = 100
VERSIONS_MOST = 9999
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


def review_sheets(folder: Path) -> tuple[ReviewSheet, ...]:
    """Return every sheet of a jurisdiction, the one valid last at the end. Raises MethodologyError with the place."""
    paths = sorted((folder / "review").glob("methodology-*.yaml"))
    sheets = [_read(path, path.stat().st_mtime_ns) for path in paths]
    return tuple(sorted(sheets, key=lambda sheet: (sheet.valid_from, sheet.version)))


@lru_cache(maxsize=32)
def _read(path: Path, mtime_ns: int) -> ReviewSheet:  # noqa: ARG001  a changed file is read anew
    content = path.read_bytes()
    top = Reader.of(read_yaml(content, file=path.name))
    top.choice("review", ("methodology",))
    score = top.reader("score")
    sheet = ReviewSheet(
        version=top.whole("version", limit=VERSIONS_MOST),
        valid_from=date.fromisoformat(top.matching("valid_from", DATE, "2025-01-31")),
        score_max=score.whole("max", limit=SCORE_MAX_MOST),
        fields=tuple(_field(item) for item in top.each("fields")),
        criteria=tuple(_criterion(item) for item in top.each("criteria")),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    score.text("basis")
    score.text("confidence")
    score.finish()
    top.finish()
    for key, codes in (
        ("fields", [f.code for f in sheet.fields]),
        ("criteria", [c.code for c in sheet.criteria]),
    ):
        unique([(code, top.place(key)) for code in codes])
    if not sheet.fields or not sheet.criteria or sheet.score_max < 1:
        top.source.refuse(
            "SCHEMA",
            zh="评审表要有领域、指标和大于 0 的最高分。",
            en="A sheet has fields, criteria and a highest score above 0.",
        )
    return sheet


def _field(item: Reader) -> ReviewField:
    label = item.words("label")
    found = ReviewField(
        code=item.code(),
        label_zh=label.zh,
        label_en=label.en,
        basis=item.text("basis"),
        confidence=item.text("confidence"),
    )
    item.finish()
    return found


def _criterion(item: Reader) -> Criterion:
    label, question = item.words("label"), item.words("question")
    found = Criterion(
        code=item.code(),
        label_zh=label.zh,
        label_en=label.en,
        question_zh=question.zh,
        question_en=question.en,
        basis=item.text("basis"),
        confidence=item.text("confidence"),
    )
    item.finish()
    return found
