"""How a difference is told (版本对照的用语): the names of parts in both languages, and values in a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import singledispatch
from typing import Any

from tanpuhui.science.engine.model import (
    NO_WORDS,
    Cap,
    Clause,
    Evidence,
    Exclusion,
    Field,
    Formula,
    Group,
    Parameter,
    ParameterSet,
    Predicate,
    Table,
    Variant,
    Words,
)
from tanpuhui.science.engine.notation import number_text
from tanpuhui.science.engine.units import Unit

ITEMS: dict[str, tuple[str, str]] = {
    "fields": ("字段", "field"), "parameters": ("参数", "parameter"), "eligibility": ("适用条件", "eligibility rule"),
    "calculations": ("算法", "calculation"), "formulas": ("公式", "formula"), "clauses": ("条款", "clause"),
    "exclusions": ("互斥", "exclusion"), "tables": ("参数表", "table"), "groups": ("分组", "group"),
    "columns": ("列", "column"), "keys": ("键", "key"), "monitoring": ("监测", "monitored item"),
}  # fmt: skip
PARTS: dict[str, tuple[str, str]] = {
    "code": ("代码", "code"), "name": ("名称", "name"), "class": ("类别", "class"), "scenario": ("场景", "scenario"),
    "status": ("状态", "status"), "scope": ("适用范围", "scope"), "label": ("说明", "label"),
    "beneficiary": ("受益人", "beneficiary"), "cap": ("上限", "cap"), "rounding": ("取整", "rounding"),
    "parameter_set": ("参数集", "parameter set"), "symbol": ("符号", "symbol"), "kind": ("类型", "kind"),
    "unit": ("单位", "unit"), "display_unit": ("显示单位", "display unit"), "low": ("下限", "minimum"),
    "high": ("上限", "maximum"), "places": ("小数位", "decimal places"), "options": ("选项", "option"),
    "nullable": ("可否为空", "may be empty"), "privacy": ("隐私类别", "privacy"), "note": ("注释", "note"),
    "value": ("取值", "value"), "state": ("状态", "state"), "source": ("来源", "source"),
    "confidence": ("可信度", "confidence"), "region": ("地区", "region"), "data_year": ("数据年份", "data year"),
    "basis": ("口径", "basis"), "publication": ("出版物", "publication"), "clause": ("条款", "clause"),
    "valid_from": ("有效期起", "valid from"), "valid_to": ("有效期止", "valid to"), "url": ("网址", "address"),
    "suggestion": ("建议值", "suggestion"), "alternatives": ("并列值", "alternative"),
    "formula": ("公式", "formula"), "rule": ("规则", "rule"), "where": ("条件", "condition"),
    "present": ("须有的字段", "field that must be present"), "absent": ("须无的字段", "field that must be absent"),
    "message": ("提示", "message"), "role": ("角色", "role"), "period": ("周期", "period"), "quantity": ("计量对象", "quantity"),
    "parameter": ("上限参数", "limiting parameter"), "reason": ("原因代码", "reason code"), "remainder": ("余数", "remainder"),
    "min_rows": ("最少行数", "least rows"), "max_rows": ("最多行数", "most rows"), "unique": ("不得重复的字段", "unique field"),
    "within": ("回退", "fallback"), "key": ("键", "key"), "crediting": ("计入", "crediting"), "carried": ("结转", "carried"),
    "length": ("计入期", "crediting period"), "keep": ("保留", "keep"), "method": ("方法", "method"),
    "frequency": ("频次", "frequency"), "bounds": ("适用区间", "bounds"), "group": ("组", "group"),
    "document": ("文件", "document"), "text": ("内容", "text"), "purpose": ("用途", "purpose"), "order": ("先后次序", "order"),
}  # fmt: skip
UNSET = Words(zh="未定（OP）", en="unset (OP)")


def words(pair: tuple[str, str]) -> Words:
    """Return a pair of texts as words."""
    return Words(zh=pair[0], en=pair[1])


def plain(text: str) -> Words:
    """Return a text that is the same in both languages."""
    return Words(zh=text, en=text)


def part(key: str) -> Words:
    """Return what an attribute is called; its key where it has no other name."""
    return words(PARTS.get(key, (key, key)))


def several(key: str) -> Words:
    """Return what one item of a list is called."""
    return words(ITEMS.get(key) or PARTS.get(key, (key, key)))


def item_name(key: str, item: Any, code: str) -> Words:
    """Return what an item of a list is called: its kind with its name, or with its code where it has none."""
    kind, name = several(key), getattr(item, "name", None)
    name = name if isinstance(name, Words) else plain(code)
    return Words(zh=f"{kind.zh}“{name.zh}”", en=f"{kind.en} '{name.en}'")


def order_name(key: str) -> Words:
    """Return what the order of a list is called."""
    kind = several(key)
    return Words(zh=f"{kind.zh}的先后次序", en=f"order of {kind.en}s")


def codes(listed: Sequence[str]) -> Words:
    """Return codes as a list."""
    return Words(zh="、".join(listed), en=", ".join(listed))


def quantity(evidence: Evidence) -> Words:
    """Return a value with its unit."""
    number, unit = number_text(evidence.value), evidence.unit
    return Words(zh=f"{number} {unit.shown('zh')}".strip(), en=f"{number} {unit.shown('en')}".strip())


def summary_or_none(value: Any) -> Words | None:
    """Return a value in a few words, None for None."""
    return None if value is None else summary(value)


@singledispatch
def summary(value: Any) -> Words:
    """Return a value or an item in a few words; what has no words of its own is told attribute by attribute."""
    if not is_dataclass(value):
        return plain("" if value is None else str(value))
    told = [(item.name, summary(getattr(value, item.name))) for item in fields(value)]
    return Words(
        zh="，".join(f"{key} {found.zh}" for key, found in told),
        en=", ".join(f"{key} {found.en}" for key, found in told),
    )


@summary.register
def _(value: Words) -> Words:
    return value


@summary.register
def _(value: bool) -> Words:
    return Words(zh="是" if value else "否", en="yes" if value else "no")


@summary.register
def _(value: Decimal) -> Words:
    return plain(number_text(value))


@summary.register
def _(value: Unit) -> Words:
    return Words(zh=value.shown("zh") or "1", en=value.shown("en") or "1")


@summary.register(tuple)
def _(value: tuple[Any, ...]) -> Words:
    told = [summary(item) for item in value]
    return Words(zh="、".join(found.zh for found in told), en=", ".join(found.en for found in told))


@summary.register(Mapping)
def _(value: Mapping[Any, Any]) -> Words:
    return summary(tuple(value.items()))


@summary.register
def _(value: Evidence) -> Words:
    found = quantity(value)
    return Words(
        zh=f"{found.zh}（{value.source.zh}；可信度 {value.confidence}）",
        en=f"{found.en} ({value.source.en}; confidence {value.confidence})",
    )


@summary.register
def _(value: Parameter) -> Words:
    return summary(value.active) if value.active else UNSET


@summary.register
def _(value: Field) -> Words:
    may_be_empty = Words(zh="，可为空", en=", may be empty") if value.nullable else NO_WORDS
    if value.kind == "choice":
        return Words(
            zh=f"选项 {'、'.join(value.options)}{may_be_empty.zh}",
            en=f"one of {', '.join(value.options)}{may_be_empty.en}",
        )
    if value.kind == "date":
        dates = f"{date_text(value.low)}–{date_text(value.high)}"
        return Words(zh=f"日期 {dates}{may_be_empty.zh}", en=f"date {dates}{may_be_empty.en}")
    bounds = f"{number_text(value.low)}–{number_text(value.high)}"
    return Words(
        zh=f"{bounds} {value.unit.shown('zh')}，{value.places} 位小数{may_be_empty.zh}",
        en=f"{bounds} {value.unit.shown('en')}, {value.places} decimals{may_be_empty.en}",
    )


def date_text(ordinal: Decimal) -> str:
    """Return the date of a bound of a date field."""
    return date.fromordinal(int(ordinal)).isoformat()


@summary.register
def _(value: Formula) -> Words:
    return plain(value.text)


@summary.register
def _(value: Predicate) -> Words:
    return plain(value.text)


@summary.register
def _(value: Variant) -> Words:
    return plain("; ".join(f"{formula.code} = {formula.text}" for formula in value.formulas))


@summary.register
def _(value: Cap) -> Words:
    return plain(f"{value.scope}, {value.period}, {value.quantity} ≤ {value.parameter}")


@summary.register
def _(value: Exclusion) -> Words:
    return plain(f"{value.scope}, {value.period}, {value.keep}")


@summary.register
def _(value: Table | Group) -> Words:
    inner = value.columns if isinstance(value, Table) else value.fields
    return Words(zh="、".join(item.name.zh for item in inner), en=", ".join(item.name.en for item in inner))


@summary.register
def _(value: Clause) -> Words:
    return Words(zh=f"{value.document}：{value.text.zh}", en=f"{value.document}: {value.text.en}")


@summary.register
def _(value: ParameterSet) -> Words:
    return Words(
        zh=f"{value.label.zh}（{value.code}，{value.purpose}）",
        en=f"{value.label.en} ({value.code}, {value.purpose})",
    )
