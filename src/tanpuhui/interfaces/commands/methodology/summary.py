"""The summary of a run (小结): counted exactly, told in either language, or saved as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tanpuhui.interfaces.commands.methodology.cells import FORMULA_CELL, NOT_A_DATE, NOT_A_NUMBER, NOT_ROWS
from tanpuhui.science.engine import ENGINE_VERSION, MethodologyVersion, reason_text
from tanpuhui.science.engine.model import Words
from tanpuhui.science.engine.notation import named_items, number_text

ROWS_SHOWN = 5
_OF_THE_FILE: dict[str, Words] = {
    "BAD_ROW": Words(zh="这一行读不懂：列数与表头不符、引号没有合上，或不是 JSON。",
                     en="The row cannot be read: other columns than the header, an open quote, or no JSON."),
    "BAD_ENCODING": Words(zh="这一行不是 UTF-8 编码。", en="The row is not UTF-8."),
    "LINE_TOO_LONG": Words(zh="这一行太长。", en="The line is too long."),
}  # fmt: skip
_OF_A_CELL: dict[str, Words] = {
    FORMULA_CELL: Words(zh="“{name}”里是公式，不是数据。", en="'{name}' holds a formula, not a value."),
    NOT_A_NUMBER: Words(zh="“{name}”不是数字（只写数字和小数点）。", en="'{name}' is no number (digits and a point only)."),
    NOT_A_DATE: Words(zh="“{name}”不是日期（写成 2016-01-31）。", en="'{name}' is no date (written like 2016-01-31)."),
    NOT_ROWS: Words(zh="“{name}”应为明细的列表（JSON）。", en="'{name}' should be a list of rows (JSON)."),
}  # fmt: skip


def reason_sentence(version: MethodologyVersion, reason: str, *, locale: str) -> str:
    """Return the sentence for a reason of the engine, of a cell, or of a row that could not be read."""
    code, _, about = reason.partition(":")
    if code in _OF_THE_FILE:
        return _OF_THE_FILE[code].text(locale)
    if code in _OF_A_CELL:
        names = {item.code: item.name.text(locale) for item in named_items(version, None)}
        named = " · ".join(names[part] for part in about.split("."))
        return _OF_A_CELL[code].text(locale).format(name=named)
    return reason_text(version, reason, locale=locale)


@dataclass(kw_only=True, slots=True)
class Summary:
    """What a run counted. Grams are whole g CO2e; the remainder is the exact sum of what rounding left over."""

    version: MethodologyVersion
    rows: int = 0
    calculated: int = 0
    grams: int = 0
    remainder_g: Decimal = Decimal(0)
    variants: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    first_rows: dict[str, list[int]] = field(default_factory=dict)

    def add(self, table: pa.Table) -> None:
        """Count a table of results."""
        self.rows += len(table)
        counted = table.filter(pc.is_null(table["reason"]))
        self.calculated += len(counted)
        if len(counted):
            self.grams += int(pc.sum(pc.cast(counted["grams"], pa.decimal128(19, 0))).as_py())
            self.remainder_g += pc.sum(counted["remainder_g"]).as_py()
            self._count(self.variants, counted["variant"])
        if len(counted) < len(table):
            refused = table.filter(pc.is_valid(table["reason"]))
            self._count(self.reasons, refused["reason"])
            for reason in pc.unique(refused["reason"]).to_pylist():
                shown = self.first_rows.setdefault(reason, [])
                if len(shown) < ROWS_SHOWN:
                    here = refused.filter(pc.equal(refused["reason"], reason))["row_number"]
                    shown += here[: ROWS_SHOWN - len(shown)].to_pylist()

    @staticmethod
    def _count(counter: Counter[str], column: pa.ChunkedArray) -> None:
        for item in pc.value_counts(column).to_pylist():
            counter[item["values"]] += item["counts"]

    def as_json(self) -> dict[str, Any]:
        """Return it for a file; grams and remainder are texts, so that no reader makes doubles of them."""
        version, chosen = self.version, self.version.parameter_set
        return {
            "methodology": version.code,
            "version": version.version,
            "archive_sha256": version.archive_sha256,
            "parameter_set": chosen
            and {"code": chosen.code, "purpose": chosen.purpose, "sha256": chosen.sha256},
            "purpose": version.purpose,
            "engine_version": ENGINE_VERSION,
            "rounding": version.rounding.rule,
            "rows": self.rows,
            "calculated": self.calculated,
            "refused": self.rows - self.calculated,
            "grams": str(self.grams),
            "remainder_g": f"{self.remainder_g:f}",
            "variants": dict(sorted(self.variants.items())),
            "reasons": {
                reason: {"rows": count, "first_rows": self.first_rows[reason]}
                for reason, count in self.reasons.most_common()
            },
        }

    def lines(self, locale: str, *, without: Sequence[str]) -> Iterator[str]:
        """Yield the summary as lines in the language."""
        words = _WORDS["en" if locale.startswith("en") else "zh"]
        version = self.version
        yield f"{version.code} {version.title.text(locale)}  {version.archive_sha256}"
        if version.parameter_set is not None:
            label, purpose = version.parameter_set.label.text(locale), words[version.purpose]
            yield words["set"].format(code=version.parameter_set.code, label=label, purpose=purpose)
        for code in without:
            names = {item.code: item.name.text(locale) for item in named_items(version, None)}
            yield words["without"].format(name=names[code])
        if version.cap is not None:
            yield words["cap"]
        if version.exclusions:
            yield words["exclusions"]
        yield words["rows"].format(
            rows=self.rows, calculated=self.calculated, refused=self.rows - self.calculated
        )
        for code, count in sorted(self.variants.items()):
            yield f"  ✓ {count:>12,}  {version.variant(code).name.text(locale)} ({code})"
        for reason, count in self.reasons.most_common():
            sentence = reason_sentence(version, reason, locale=locale)
            first = [*map(str, self.first_rows[reason]), *(["…"] if count > ROWS_SHOWN else [])]
            rows = words["row"].format(rows=words["and"].join(first))
            yield f"  ✗ {count:>12,}  {sentence} [{reason}] {rows}"
        yield words[version.rounding.rule].format(
            grams=f"{self.grams:,}", remainder=number_text(abs(self.remainder_g))
        )


_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "set": "参数集 {code}：{label}（{purpose}）",
        "operation": "正式核算", "demonstration": "演示值，不用于正式核算", "test": "测试值，不用于正式核算",
        "without": "文件里没有“{name}”这一列，每行都按没有它计算。",
        "cap": "未施加活动量上限：它在入账时按先后次序判定。",
        "rows": "共 {rows:,} 行：计入 {calculated:,} 行，不计入 {refused:,} 行",
        "exclusions": "未判定互斥：它要看同一人同一时段的其他结果。",
        "row": "第 {rows} 行", "and": "、", "floor": "合计 {grams} g CO2e，另有余数 {remainder} g（逐行向下取整所余，不累计）",
        "ceiling": "合计 {grams} g CO2e，其中 {remainder} g 是逐行向上取整所进",
    },
    "en": {
        "set": "Parameter set {code}: {label} ({purpose})",
        "operation": "operation", "demonstration": "demonstration values, not for operation",
        "test": "test values, not for operation",
        "without": "The file has no column for '{name}'; every row is calculated without it.",
        "cap": "The cap on activity data is not applied: the posting judges it, in its order.",
        "rows": "{rows:,} rows: {calculated:,} count, {refused:,} do not",
        "exclusions": "Exclusions are not judged: they look at the other results of the same person and time.",
        "row": "row {rows}", "and": ", ", "ceiling": "Total {grams} g CO2e, of which rounding each row up made {remainder} g",
        "floor": "Total {grams} g CO2e; {remainder} g remain from rounding each row down and are not carried",
    },
}  # fmt: skip
