"""The platform's own columns (标准格式): one line, one record. Described in docs/data-formats.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from tanpuhui.behaviour.activity.adapters._port import ENVELOPE, TRACES, Adapted
from tanpuhui.behaviour.activity.domain.mappings import MAPPED, PLAIN, TextStyle


@dataclass(frozen=True, slots=True)
class Standard:
    """Reads the columns as they are; an unknown column stays in the kept file and goes no further."""

    name: str = "standard"
    person: tuple[str, ...] = ("subject",)
    style: TextStyle = PLAIN
    required: tuple[str, ...] = ("record_id", "subject", "scenario", "started_at")

    def wanted(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Return envelope, traces and the methodologies' fields."""
        return tuple(dict.fromkeys((*ENVELOPE, *TRACES, *fields)))

    def adapt(self, table: pa.Table) -> Adapted:
        """Pass every row on."""
        return Adapted(rows=table, settled=())


STANDARD = Standard()

OWN_COLUMNS = Standard(name=MAPPED)
"""What an application with a field mapping has to give: the standard fields. Its files are read by `Mapped` alone."""
