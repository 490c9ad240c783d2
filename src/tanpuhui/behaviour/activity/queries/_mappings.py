"""Field mappings (字段映射): which is in force, what one lacks, and what it makes of the first rows of a file."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.mapped import Mapped, cells_of
from tanpuhui.behaviour.activity.adapters.mapping_file import FORMAT, read_mapping
from tanpuhui.behaviour.activity.adapters.reading import format_of, read_slices
from tanpuhui.behaviour.activity.domain import reason_text
from tanpuhui.behaviour.activity.domain.applications import Lack, ScenarioContent
from tanpuhui.behaviour.activity.domain.mappings import (
    MAPPED,
    FieldMapping,
    MappingInvalid,
    MappingMissing,
    TextStyle,
    mapping_sha256,
)
from tanpuhui.behaviour.activity.models import Batch, FieldMappingVersion
from tanpuhui.behaviour.activity.queries._reading_terms import limits
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.science.engine.model import Field
from tanpuhui.science.engine.units import Unit, UnknownUnit, parse_unit

PREVIEW_ROWS = 20
COUNTED = frozenset({"[person]", "[vehicle]", "[trip]", "[item]"})
"""What a record is one of: its fields are written without it (km), although the formula counts with it (pkm)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MappingView:
    """A field mapping that is or was in force for a feed, and what it followed from."""

    id: int
    version: int
    document: str
    document_sha256: str
    application_version: int | None
    sample_id: int | None
    in_force_from: datetime
    by_kind: str
    by_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewCell:
    """One standard field of a row: what stands in the file, what becomes of it, or why nothing does."""

    code: str
    source: str
    value: str
    reason: str

    def text(self, locale: str = "zh") -> str:
        """Return the reason as a sentence, empty for a cell that is read."""
        return reason_text(self.reason, locale) if self.reason else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewRow:
    """One row of a file as a mapping reads it. A line that is no row at all has a reason and no cells."""

    row_number: int
    cells: tuple[PreviewCell, ...]
    reason: str
    value: str

    @property
    def is_read(self) -> bool:
        """Say whether the row goes on to be checked and calculated."""
        return not self.reason and not any(cell.reason for cell in self.cells)

    def text(self, locale: str = "zh") -> str:
        """Return why the line is no row, as a sentence; empty where it is one."""
        return reason_text(self.reason, locale) if self.reason else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MappingPreview:
    """The first rows of a file; `columns` names, for each standard field, where the file has it."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[PreviewRow, ...]


def mapping_in_force(
    *, partner_id: int, adapter: str, at: datetime | None = None
) -> FieldMappingVersion | None:
    """Return the mapping that a partner's feed is read with at a moment, or now; None where there is none yet."""
    rows = FieldMappingVersion.objects.filter(feed__partner_id=partner_id, feed__adapter=adapter)
    if at is not None:
        rows = rows.filter(in_force_from__lte=at)
    return rows.order_by("-version").first()


def mapping_versions(feed_id: int) -> tuple[MappingView, ...]:
    """Return the mappings that came into force for a feed, the newest first."""
    rows = FieldMappingVersion.objects.filter(feed_id=feed_id).order_by("-version")
    return tuple(
        MappingView(
            id=row.pk,
            version=row.version,
            document=row.document,
            document_sha256=row.document_sha256,
            application_version=row.application_version,
            sample_id=row.sample_id,
            in_force_from=row.in_force_from,
            by_kind=row.by_kind,
            by_id=row.by_id,
        )
        for row in rows
    )


def batch_style(batch: Batch) -> TextStyle:
    """Return how the text of a batch's file is written."""
    if batch.mapping is not None:
        return read_mapping(batch.mapping.document).style
    return TextStyle()


def mapping_lacks(
    content: ScenarioContent, *, needed: Mapping[str, str], fields: tuple[Field, ...]
) -> tuple[Lack, ...]:
    """Return what the mapping of an application lacks; `needed` are the standard fields without which nothing is calculated.

    `fields` are those of the methodology: what a mapping gives must be in their unit and of their options.
    """
    if content.adapter != MAPPED:
        return ()
    if not content.mapping:
        return (
            Lack(
                field="mapping",
                zh="请写字段映射：自有格式的文件要靠它来读",
                en="Write the field mapping: without it files in the partner's own format cannot be read",
            ),
        )
    try:
        mapping = read_mapping(content.mapping)
    except MappingInvalid as invalid:
        return (Lack(field="mapping", zh=invalid.message("zh"), en=invalid.message("en")),)
    return tuple(
        Lack(field="mapping", zh=f"字段映射：{zh}", en=f"Field mapping: {en}")
        for zh, en in _lacks(content, mapping, needed, fields)
    )


def _lacks(
    content: ScenarioContent, mapping: FieldMapping, needed: Mapping[str, str], fields: tuple[Field, ...]
) -> Iterator[tuple[str, str]]:
    declared = {field.code for field in content.fields}
    for code, name in needed.items():
        if code not in mapping.codes and code != "scenario":
            yield f"没有写“{code}”（{name}）从哪一列来", f"'{code}' ({name}) is not mapped"
    for code in mapping.codes:
        if code not in declared and code != "scenario":
            yield f"“{code}”没有列在要报送的列里", f"'{code}' is not among the listed columns"
    for item in fields:
        found = mapping.field(item.code)
        if found is None:
            continue
        if found.conversion is not None:
            unit = parse_unit(found.conversion.to_unit)
            if item.kind != "number" or not _same_size(unit, item.unit):
                yield (
                    f"“{item.code}”的单位应换算成 {_shown_unit(item)}",
                    f"'{item.code}' is to be converted to {_shown_unit(item)}",
                )
            if found.conversion.places > item.places:
                yield (
                    f"“{item.code}”最多 {item.places} 位小数",
                    f"'{item.code}' has at most {item.places} decimals",
                )
        outside = sorted({ours for _, ours in found.codes} - set(item.options))
        if item.kind == "choice" and outside:
            yield (
                f"“{item.code}”没有这些选项：{'、'.join(outside)}",
                f"'{item.code}' has no such options: {', '.join(outside)}",
            )


def _same_size(one: Unit, other: Unit) -> bool:
    """Say whether a number in one unit stands for the same in the other; a person's kilometre is a kilometre."""
    plain = [{name: power for name, power in unit.dimension if name not in COUNTED} for unit in (one, other)]
    return plain[0] == plain[1] and one.factor == other.factor


def _shown_unit(item: Field) -> str:
    """Return the unit in which a field is written, as a mapping names it."""
    try:
        if _same_size(parse_unit(item.display_unit.en), item.unit):
            return item.display_unit.en
    except UnknownUnit:
        pass
    return str(item.unit)


def preview_mapping(
    *, document: str, scenario: str, file_name: str, media_type: str, content: bytes, at: datetime
) -> MappingPreview:
    """Return what a mapping makes of the first rows of a file; nothing is kept. Raises MappingInvalid, MappingMissing, FileUnusable."""
    if not document.strip():
        raise MappingMissing(adapter=MAPPED)
    form = Mapped(mapping=read_mapping(document), scenario=scenario)
    bounds = limits(at)
    found = next(
        read_slices(
            io.BytesIO(content),
            file_format=format_of(file_name, media_type),
            limits=Limits(file_bytes_max=bounds.file_bytes_max, line_bytes_max=bounds.line_bytes_max),
            wanted=form.wanted(()),
            required=form.required,
            style=form.style,
        )
    )
    first = found.table.sort_by("row_number").slice(0, PREVIEW_ROWS)
    cells = cells_of(form, first)
    unread = {fault.row_number: fault for fault in found.faults}
    rows = [
        PreviewRow(
            row_number=number,
            cells=tuple(
                PreviewCell(code=code, source=cell.source, value=cell.value, reason=cell.reason)
                for code, cell in zip(form.mapping.codes, cells.get(number, ()), strict=False)
            ),
            reason=unread[number].reason if number in unread else "",
            value=unread[number].value if number in unread else "",
        )
        for number in sorted({*cells, *unread})[:PREVIEW_ROWS]
    ]
    columns = tuple((field.code, " + ".join(field.columns)) for field in form.mapping.fields)
    return MappingPreview(columns=columns, rows=tuple(rows))


def mapping_to_begin(content: ScenarioContent, fields: tuple[Field, ...]) -> str:
    """Return a mapping to write on from: every declared field, with the methodology's unit and places where it has them."""
    known = {item.code: item for item in fields}
    lines = [f"format: {FORMAT}", 'file: {encoding: utf-8, delimiter: ","}', "fields:"]
    for field in content.fields:
        if field.code == "scenario":
            continue
        item = known.get(field.code)
        how = f"  {field.code}: {{column: {field.code}"
        if field.code in {"started_at", "ended_at"}:
            how += ', time: "%Y-%m-%d %H:%M:%S", zone: Asia/Shanghai'
        elif item is not None and item.kind == "number" and _shown_unit(item):
            unit = _shown_unit(item)
            how += f", from_unit: {unit}, to_unit: {unit}, places: {item.places}"
        lines.append(how + "}")
    return "\n".join([*lines, ""])


def mapping_breaches() -> Iterator[Breach]:
    """Report mappings whose bytes changed, batches without the mapping they need, and mappings nothing proved."""
    for row in FieldMappingVersion.objects.order_by("id").iterator(chunk_size=100):
        if mapping_sha256(row.document) != row.document_sha256:
            yield Breach(
                invariant="activity.mapping_has_its_hash", subject=f"feed:{row.feed_id}", detail=f"version {row.version}"
            )  # fmt: skip
    unread = Batch.objects.filter(adapter__startswith=f"{MAPPED}.").select_related("mapping__feed")
    for batch in unread.iterator(chunk_size=1000):
        used = batch.mapping
        if used is None or (used.feed.partner_id, used.feed.adapter) != (batch.partner_id, batch.adapter):
            yield Breach(
                invariant="activity.batch_has_its_mapping", subject=f"batch:{batch.pk}", detail=batch.adapter
            )
        elif used.in_force_from > batch.received_at:
            yield Breach(
                invariant="activity.batch_has_its_mapping",
                subject=f"batch:{batch.pk}",
                detail=f"mapping {used.version} came into force at {used.in_force_from}",
            )
