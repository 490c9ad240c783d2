"""Formats of partners' files (伙伴文件格式). An adapter is pure: a table of text in, rows with verdicts out."""

from __future__ import annotations

from tanpuhui.behaviour.activity.adapters._port import ENVELOPE, TRACES, Adapted, Adapter, RowVerdict
from tanpuhui.behaviour.activity.adapters.mapped import Mapped
from tanpuhui.behaviour.activity.adapters.mapping_file import read_mapping
from tanpuhui.behaviour.activity.adapters.shenzhen_tong import SHENZHEN_TONG
from tanpuhui.behaviour.activity.adapters.standard import OWN_COLUMNS, STANDARD
from tanpuhui.behaviour.activity.domain import AdapterUnknown
from tanpuhui.behaviour.activity.domain.mappings import MAPPED, MappingMissing, is_mapped

__all__ = [
    "ADAPTERS",
    "ENVELOPE",
    "TRACES",
    "Adapted",
    "Adapter",
    "RowVerdict",
    "adapter_named",
    "check_adapter",
    "reading_adapter",
]

ADAPTERS: dict[str, Adapter] = {adapter.name: adapter for adapter in (STANDARD, SHENZHEN_TONG, OWN_COLUMNS)}


def adapter_named(name: str) -> Adapter:
    """Return the adapter; raises AdapterUnknown."""
    if name not in ADAPTERS:
        raise AdapterUnknown(adapter=name, known=", ".join(sorted(ADAPTERS)))
    return ADAPTERS[name]


def check_adapter(name: str) -> None:
    """Refuse the name of a feed's format that nothing reads. Raises AdapterUnknown."""
    if not (is_mapped(name) and name != MAPPED):
        adapter_named(name)


def reading_adapter(name: str, *, document: str) -> Adapter:
    """Return what reads the files of a feed: its field mapping where it has one. Raises AdapterUnknown, MappingMissing, MappingInvalid."""
    if not is_mapped(name):
        return adapter_named(name)
    if not document:
        raise MappingMissing(adapter=name)
    return Mapped(mapping=read_mapping(document), scenario=name.partition(".")[2])
