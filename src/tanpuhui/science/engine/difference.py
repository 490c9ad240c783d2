"""The difference of two versions (版本对照): what was added, removed or changed, and whether it can change a result.

Walks the model by its own fields, so that whatever a version gains (tables, groups) is compared from its first day,
and counts as able to change a result until HARMLESS says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Checked
from tanpuhui.science.engine.difference_words import (
    UNSET,
    codes,
    date_text,
    item_name,
    order_name,
    part,
    plain,
    quantity,
    several,
    summary,
    summary_or_none,
)
from tanpuhui.science.engine.model import (
    NO_WORDS,
    Cap,
    Clause,
    Column,
    Crediting,
    Evidence,
    Exclusion,
    Field,
    Formula,
    Group,
    MethodologyVersion,
    Monitored,
    Parameter,
    ParameterSet,
    Predicate,
    Rounding,
    Table,
    TableKey,
    Variant,
    Words,
)
from tanpuhui.science.engine.notation import named_items, number_text, written
from tanpuhui.science.engine.units import Unit

Kind = Literal["added", "removed", "changed"]

# What tells the version apart or is told by another change; it is no change of its own.
TOLD_ELSEWHERE: dict[type, frozenset[str]] = {
    MethodologyVersion: frozenset({"version", "archive_sha256", "source", "symbols"}),
    Field: frozenset({"code"}),
    Parameter: frozenset({"code", "origin"}),
    Predicate: frozenset({"code", "text", "guards"}),
    Variant: frozenset({"code", "where_text"}),
    Formula: frozenset({"code", "text", "guards"}),
    Table: frozenset({"code", "origin", "rows"}),
    Column: frozenset({"code"}),
    Group: frozenset({"code"}),
    Monitored: frozenset({"code"}),
    Clause: frozenset({"code"}),
    Cap: frozenset({"limit"}),
    Evidence: frozenset({"unit"}),
    ParameterSet: frozenset({"values", "tables", "sha256"}),
}
# What no formula, rule, bound or cap reads: it changes what people are told, never a number or a reason.
HARMLESS: dict[type, frozenset[str]] = {
    MethodologyVersion: frozenset(
        {"name", "scenario", "status", "scope", "label", "beneficiary", "monitoring", "clauses", "parameter_set"}
    ),
    Field: frozenset({"name", "symbol", "display_unit", "privacy", "note"}),
    Parameter: frozenset({"name", "symbol", "suggestion", "alternatives", "note", "clause"}),
    Evidence: frozenset(
        {"source", "confidence", "label", "region", "data_year", "basis", "publication", "clause", "valid_from",
         "valid_to", "url"}
    ),
    Predicate: frozenset({"message", "clause"}),
    Variant: frozenset({"name"}),
    Formula: frozenset({"name", "symbol", "role", "clause", "note"}),
    Rounding: frozenset({"clause"}),
    Table: frozenset({"name", "note", "clause"}),
    TableKey: frozenset({"name"}),
    Column: frozenset({"name", "symbol", "suggestions"}),
    Group: frozenset({"name"}),
    Exclusion: frozenset({"clause"}),
    Crediting: frozenset({"length", "clause"}),
}  # fmt: skip
ORDER_TELLS_NOTHING = frozenset(
    {"parameters", "tables", "columns", "keys", "groups", "exclusions", "clauses"}
)
CHECKED: dict[type, str] = {Formula: "formula", Predicate: "rule"}
SECTIONS = {"variants": "calculations", "methodology_class": "class"}
"""Where the folder calls a part otherwise than the model does."""

KINDS: dict[Kind, Words] = {
    "added": Words(zh="新增", en="added"),
    "removed": Words(zh="删除", en="removed"),
    "changed": Words(zh="修改", en="changed"),
}
SAME_MEANING = Words(zh="只是写法不同，含义相同", en="written differently, the meaning is the same")
SAME_TEXT = Words(
    zh="文字相同，但名称所指不同", en="the text is the same, but its names stand for something else"
)
NOT_USED = Words(zh="没有公式、规则或上限用到它", en="no formula, rule or cap uses it")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One difference between two versions.

    `where` is its place, stable and in the words of the folder: parameters/bus_factor/value. `name` says the same to
    people. `old` is None for what was added, `new` for what was removed. `changes_result` says whether some record
    can get other grams or another reason by it; `note` why not, where that is not plain.
    """

    kind: Kind
    where: str
    name: Words
    old: Words | None
    new: Words | None
    changes_result: bool
    note: Words = NO_WORDS

    @property
    def section(self) -> str:
        """The part of the folder it belongs to: fields, parameters, eligibility, calculations, cap, …"""
        return self.where.partition("/")[0]

    def text(self, locale: str = "zh") -> str:
        """Return the change as one line, in Chinese unless English is asked for."""
        english = locale.startswith("en")
        told = " → ".join(words.text(locale) or "—" for words in (self.old, self.new) if words is not None)
        note = self.note.text(locale)
        after = f" ({note})" if english and note else f"（{note}）" if note else ""
        return f"{self.name.text(locale)} {KINDS[self.kind].text(locale)}{': ' if english else '：'}{told}{after}"


def difference(old: MethodologyVersion, new: MethodologyVersion) -> tuple[Change, ...]:
    """Return what distinguishes two loaded versions, in the order of the folder; nothing when they mean the same.

    The version number and the archive's hash are no changes. Parameters are compared with the values the versions
    were loaded with, so two loadings of one version under two parameter sets can be compared as well.
    """
    return tuple(_Comparison(old, new).changes())


def difference_text(changes: Iterable[Change], *, locale: str = "zh") -> str:
    """Return the changes as lines: first those that can change a result, then the others."""
    listed = list(changes)
    english = locale.startswith("en")
    if not listed:
        return "No difference.\n" if english else "没有差别。\n"
    heads = {
        True: "Can change a result" if english else "可能改变结果",
        False: "Cannot change a result" if english else "不改变结果",
    }
    lines: list[str] = []
    for counts, head in heads.items():
        some = [change for change in listed if change.changes_result is counts]
        if some:
            lines += [f"{head} ({len(some)})" if english else f"{head}（{len(some)}）"]
            lines += [f"  {change.text(locale)}" for change in some]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where the walk stands: the path, how people call it, and whether a difference there can change a result."""

    path: str = ""
    name: Words = NO_WORDS
    counts: bool = True
    note: Words = NO_WORDS

    def inner(self, key: str, name: Words, *, counts: bool = True, note: Words = NO_WORDS) -> _Place:
        between = Words(zh="：", en=": ") if self.path else NO_WORDS
        return _Place(
            path=f"{self.path}/{key}" if self.path else key,
            name=Words(zh=self.name.zh + between.zh + name.zh, en=self.name.en + between.en + name.en),
            counts=self.counts and counts,
            note=note if note != NO_WORDS else self.note,
        )


class _Comparison:
    def __init__(self, old: MethodologyVersion, new: MethodologyVersion) -> None:
        self.old, self.new = old, new
        self.used = _used(old) | _used(new)
        self.names = [_names(old), _names(new)]
        self.rows: tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]] = ((), ())

    def changes(self) -> Iterator[Change]:
        yield from self._attributes(_Place(), self.old, self.new)

    def _attributes(self, place: _Place, old: Any, new: Any) -> Iterator[Change]:
        """Compare two values of one class, attribute by attribute."""
        kind = type(old)
        if isinstance(old, Variant):
            outer = self.names
            self.names = [_names(self.old, old), _names(self.new, new)]
        for attribute in fields(kind):
            key = SECTIONS.get(attribute.name, attribute.name)
            if attribute.name in TOLD_ELSEWHERE.get(kind, ()):
                continue
            counts = attribute.name not in HARMLESS.get(kind, ())
            before, after = getattr(old, attribute.name), getattr(new, attribute.name)
            if isinstance(before, tuple | Mapping) and isinstance(after, tuple | Mapping):
                yield from self._several(place, key, before, after, counts=counts)
            elif isinstance(before, Checked) or isinstance(after, Checked):
                text = "text" if attribute.name == "checked" else f"{attribute.name}_text"
                called = CHECKED.get(kind, key)
                inner = place.inner(called, part(called), counts=counts)
                yield from self._formula(inner, (before, getattr(old, text)), (after, getattr(new, text)))
            elif isinstance(old, Field) and old.kind == "date" and key in {"low", "high"}:
                inner = place.inner(key, part(key))
                yield from self._value(inner, plain(date_text(before)), plain(date_text(after)))
            elif attribute.name == "active":
                yield from self._active(place, old, new)
            else:
                yield from self._value(place.inner(key, part(key), counts=counts), before, after)
        if isinstance(old, Variant):
            self.names = outer

    def _value(self, place: _Place, old: Any, new: Any) -> Iterator[Change]:
        if _same(old, new):
            return
        if type(old) is type(new) and is_dataclass(old) and not isinstance(old, Words | Unit):
            yield from self._attributes(place, old, new)
        else:
            yield _change(place, summary_or_none(old), summary_or_none(new))

    def _active(self, place: _Place, old: Parameter, new: Parameter) -> Iterator[Change]:
        """Compare the values that calculate: with evidence where both have one, else the state."""
        before, after = old.active, new.active
        if before is None and after is None:
            return
        if before is None or after is None:
            state = place.inner("state", part("state"))
            yield _change(state, summary(before) if before else UNSET, summary(after) if after else UNSET)
            return
        yield from self._evidence(place, before, after)

    def _several(self, place: _Place, key: str, old: Any, new: Any, *, counts: bool) -> Iterator[Change]:
        """Compare two lists: by code where the items have one, else by what they are."""
        before, after = _by_code(old), _by_code(new)
        if before is None or after is None:
            yield from _listed(place, key, old, new, counts=counts)
            return
        for code in dict.fromkeys([*before, *after]):
            item = after.get(code, before.get(code))
            used = not isinstance(item, Parameter | Column) or code in self.used
            inner = place.inner(
                f"{key}/{code}",
                item_name(key, item, code),
                counts=counts and used,
                note=NO_WORDS if used else NOT_USED,
            )
            if code not in before:
                yield _change(inner, None, summary(after[code]))
            elif code not in after:
                yield _change(inner, summary(before[code]), None)
            else:
                yield from self._item(inner, before[code], after[code])
        common = [code for code in before if code in after]
        moved = [code for code in after if code in before]
        if common != moved:
            inner = place.inner(
                f"{key}/order", order_name(key), counts=counts and key not in ORDER_TELLS_NOTHING
            )
            yield _change(inner, codes(common), codes(moved))

    def _item(self, place: _Place, old: Any, new: Any) -> Iterator[Change]:
        if isinstance(old, Table) and isinstance(new, Table):
            # What a cell is called comes from the rows of its table.
            self.rows = (old.rows, new.rows)
        if isinstance(old, Column) and isinstance(new, Column):
            yield from self._cells(place, old, new)
        else:
            yield from self._value(place, old, new)

    def _cells(self, place: _Place, old: Column, new: Column) -> Iterator[Change]:
        """Compare a column by its cells, each named by the entries of its keys."""
        for attribute in ("name", "symbol", "unit"):
            inner = place.inner(attribute, part(attribute), counts=attribute == "unit")
            yield from self._value(inner, getattr(old, attribute), getattr(new, attribute))
        for attribute in ("evidence", "suggestions"):
            before, after = (
                {codes(rows[row]).zh: cell for row, cell in getattr(column, attribute).items()}
                for rows, column in zip(self.rows, (old, new), strict=True)
            )
            for entry in dict.fromkeys([*before, *after]):
                counts, called = attribute == "evidence", plain(entry)
                if attribute == "suggestions":
                    words = part("suggestion")
                    called = Words(zh=f"{entry} {words.zh}", en=f"{entry} {words.en}")
                inner = place.inner(f"{attribute}/{entry}", called, counts=counts)
                if entry in before and entry in after:
                    yield from self._evidence(inner, before[entry], after[entry])
                else:
                    yield _change(
                        inner, summary_or_none(before.get(entry)), summary_or_none(after.get(entry))
                    )
        if old.evidence.keys() == new.evidence.keys() and _bounds(old) != _bounds(new):
            inner = place.inner("bounds", part("bounds"))
            yield _change(inner, codes(_bounds(old)), codes(_bounds(new)))

    def _evidence(self, place: _Place, old: Evidence, new: Evidence) -> Iterator[Change]:
        if old.value != new.value:
            yield _change(place.inner("value", part("value")), quantity(old), quantity(new))
        for attribute in fields(Evidence):
            if attribute.name not in {"value", *TOLD_ELSEWHERE[Evidence]}:
                counts = attribute.name not in HARMLESS[Evidence]
                inner = place.inner(attribute.name, part(attribute.name), counts=counts)
                yield from self._value(inner, getattr(old, attribute.name), getattr(new, attribute.name))

    def _formula(
        self, place: _Place, old: tuple[Checked | None, str], new: tuple[Checked | None, str]
    ) -> Iterator[Change]:
        """Compare two formulas by what they mean; one that is only written otherwise changes nothing."""
        (before, text_before), (after, text_after) = old, new
        if before is None or after is None:
            if before is not after:
                yield _change(place, self._written(0, *old), self._written(1, *new))
            return
        if _meaning(before) == _meaning(after):
            if text_before != text_after:
                same = _Place(path=place.path, name=place.name, counts=False, note=SAME_MEANING)
                yield _change(same, plain(text_before), plain(text_after))
            return
        note = SAME_TEXT if text_before == text_after else place.note
        told = _Place(path=place.path, name=place.name, counts=place.counts, note=note)
        yield _change(told, self._written(0, *old), self._written(1, *new))

    def _written(self, side: int, checked: Checked | None, text: str) -> Words | None:
        if checked is None:
            return None
        names = self.names[side]
        english = written(checked, lambda symbol: names[symbol.code].en, locale="en")
        return Words(zh=text, en=english)


def _change(place: _Place, old: Words | None, new: Words | None) -> Change:
    kind: Kind = "added" if old is None else "removed" if new is None else "changed"
    return Change(
        kind=kind,
        where=place.path,
        name=place.name,
        old=old,
        new=new,
        changes_result=place.counts,
        note=place.note,
    )


def _used(version: MethodologyVersion) -> frozenset[str]:
    """Return the codes of the parameters that some formula, rule or cap reads."""
    checked = [formula.checked for variant in version.variants for formula in variant.formulas]
    checked += [predicate.checked for predicate in version.eligibility]
    found = {symbol.code for item in checked for symbol in item.symbols()}
    return frozenset(found | ({version.cap.parameter} if version.cap else set()))


def _bounds(column: Column) -> tuple[str, ...]:
    """Return from where to where the column's cells hold, where a key has bounds."""
    found = dict.fromkeys((cell.low, cell.high) for cell in column.grid.cells)
    return tuple(
        "–".join("…" if bound is None else number_text(bound) for bound in bounds) for bounds in found
    )


def _names(version: MethodologyVersion, variant: Variant | None = None) -> dict[str, Words]:
    return {item.code: item.name for item in named_items(version, variant)}


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, Unit) and isinstance(new, Unit):
        return old.same_as(new)
    return bool(old == new)


def _code_of(item: Any) -> str | None:
    """Return what tells an item of a list from the others, None where nothing does."""
    if isinstance(item, TableKey):
        return item.key.code
    return item.group if isinstance(item, Exclusion) else getattr(item, "code", None)


def _by_code(items: Any) -> dict[str, Any] | None:
    """Return a list's items by their codes, None when an item has none."""
    if isinstance(items, Mapping):
        return dict(items)
    named = [(_code_of(item), item) for item in items]
    found = {code: item for code, item in named if code is not None}
    return found if len(found) == len(named) else None


def _listed(
    place: _Place, key: str, old: Sequence[Any], new: Sequence[Any], *, counts: bool
) -> Iterator[Change]:
    gone, come = list(old), []
    for item in new:
        if item in gone:
            gone.remove(item)
        else:
            come.append(item)
    inner = place.inner(key, several(key), counts=counts)
    for item in gone:
        yield _change(inner, summary(item), None)
    for item in come:
        yield _change(inner, None, summary(item))


def _meaning(checked: Checked) -> tuple[Any, ...]:
    """Return what a formula says, whatever words, names and spaces it is written with.

    A node's own values count, but not its place; a name counts as what it stands for, a unit as what it measures.
    """
    node = checked.node
    values = {item.name: getattr(node, item.name) for item in fields(node)}
    own = {key: value for key, value in values.items() if key not in {"at", "depth"}}
    if sum(map(_nodes, own.values())) == len(checked.parts):
        own = {key: value for key, value in own.items() if not _nodes(value)}
    for key in {"name", "column", "group"} & own.keys():
        if checked.symbol is not None:
            own[key] = f"{checked.symbol.role} {checked.symbol.code}"
    if "unit" in own:
        own["unit"] = (checked.unit.dimension, checked.unit.factor)
    return (
        type(node).__name__,
        tuple(sorted(own.items())),
        tuple(_meaning(part) for part in checked.parts),
    )


def _nodes(value: Any) -> int:
    """Count the nodes a value holds; they are the checked parts."""
    several = value if isinstance(value, tuple) else (value,)
    return sum(isinstance(item, tree.Node) for item in several)
