"""Finding columns (找列): a field is found by its code or by its name in either language, never by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tanpuhui.interfaces.commands.methodology.sentences import Unusable
from tanpuhui.science.engine import Field, MethodologyVersion
from tanpuhui.science.engine.model import Group

RESULTS = ("row_number", "variant", "grams", "remainder_g", "reason", "reason_text")
"""What the output adds; a column kept from the input may not be called so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Which column of the input holds which field (absent: none does), and which are copied to the output."""

    fields: Mapping[str, str]
    kept: tuple[str, ...]
    without: tuple[str, ...] = ()
    """Fields that may be empty and have no column; every row is without them."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns to read, each once."""
        return tuple(dict.fromkeys([*self.kept, *self.fields.values()]))


def names_of(item: Field | Group) -> tuple[str, ...]:
    """Return what a column of the field, or of the rows of a group, may be called."""
    return tuple(dict.fromkeys([item.code, item.name.zh, item.name.en]))


def readable(version: MethodologyVersion) -> list[Field | Group]:
    """Return what an input has a column for: the fields, and the rows of the groups."""
    return [*version.fields, *version.groups]


def find_columns(
    header: Sequence[str], version: MethodologyVersion, keep: Sequence[str] = (), *, may_lack: bool = False
) -> Columns:
    """Find every field in the header, in letters large or small.

    Raises Unusable when a column stands twice, two columns could be one field, or a needed one is not there.
    `may_lack`: the header is only what the first rows show, so a needed column may still come.
    """
    _refuse_doubles(header)
    _refuse_unknown(header, version, keep, may_lack=may_lack)
    at = {name.casefold(): name for name in header}
    found: dict[str, str] = {}
    missing: list[Field | Group] = []
    without: list[str] = []
    for item in readable(version):
        here = list(dict.fromkeys(at[name.casefold()] for name in names_of(item) if name.casefold() in at))
        if len(here) > 1:
            listed = ", ".join(here)
            raise Unusable(
                zh=f"不知道“{item.name.zh}”该取哪一列：{listed}。请只留一列。",
                en=f"More than one column could be '{item.name.en}': {listed}. Leave one.",
            )
        if here:
            found[item.code] = here[0]
        elif may_lack:
            found[item.code] = item.code
        elif item.min_rows == 0 if isinstance(item, Group) else item.nullable:
            without.append(item.code)
        else:
            missing.append(item)
    if missing:
        _refuse_missing(header, missing)
    return Columns(fields=found, kept=tuple(dict.fromkeys(keep)), without=tuple(without))


def _refuse_doubles(header: Sequence[str]) -> None:
    folded = [name.casefold() for name in header if name]
    twice = [name for name in header if folded.count(name.casefold()) > 1]
    if twice:
        listed = ", ".join(dict.fromkeys(twice))
        raise Unusable(
            zh=f"列名重复：{listed}。请改正表头。", en=f"A column stands twice: {listed}. Correct the header."
        )


def _refuse_missing(header: Sequence[str], missing: Sequence[Field | Group]) -> None:
    zh = "、".join(f"{item.code}（或“{item.name.zh}”）" for item in missing)
    en = ", ".join(f"{item.code} (or '{item.name.en}')" for item in missing)
    here = ", ".join(header[:20]) or "-"
    raise Unusable(
        zh=f"缺少列：{zh}。文件里的列：{here}。", en=f"Columns are missing: {en}. The file has: {here}."
    )


def _refuse_unknown(
    header: Sequence[str], version: MethodologyVersion, keep: Sequence[str], *, may_lack: bool
) -> None:
    unknown = [] if may_lack else [name for name in keep if name not in header]
    if unknown:
        listed, here = ", ".join(unknown), ", ".join(header[:20])
        raise Unusable(
            zh=f"--keep 的列不在文件里：{listed}。文件里的列：{here}。",
            en=f"--keep names columns that the file does not have: {listed}. The file has: {here}.",
        )
    taken = {*RESULTS, *(item.code for item in readable(version))}
    clash = [name for name in keep if name in taken]
    if clash:
        listed = ", ".join(clash)
        raise Unusable(
            zh=f"--keep 的列与输出的列同名：{listed}。字段本来就会写出；别的列请先改名。",
            en=f"--keep names columns that the output already has: {listed}. Fields are written anyway; rename others.",
        )
