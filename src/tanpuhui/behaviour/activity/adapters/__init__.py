"""Formats of partners' files (伙伴文件格式). An adapter is pure: a table of text in, rows with verdicts out."""

from __future__ import annotations

from tanpuhui.behaviour.activity.adapters._port import ENVELOPE, TRACES, Adapted, Adapter, RowVerdict
from tanpuhui.behaviour.activity.adapters.shenzhen_tong import SHENZHEN_TONG
from tanpuhui.behaviour.activity.adapters.standard import STANDARD
from tanpuhui.behaviour.activity.domain import AdapterUnknown

__all__ = ["ADAPTERS", "ENVELOPE", "TRACES", "Adapted", "Adapter", "RowVerdict", "adapter_named"]

ADAPTERS: dict[str, Adapter] = {adapter.name: adapter for adapter in (STANDARD, SHENZHEN_TONG)}


def adapter_named(name: str) -> Adapter:
    """Return the adapter; raises AdapterUnknown."""
    if name not in ADAPTERS:
        raise AdapterUnknown(adapter=name, known=", ".join(sorted(ADAPTERS)))
    return ADAPTERS[name]
