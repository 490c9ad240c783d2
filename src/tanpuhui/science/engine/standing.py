"""What of a version calculates, and what waits for which value (能算什么、等什么). For people who read the library."""

from __future__ import annotations

from dataclasses import dataclass

from tanpuhui.science.engine.model import Column, MethodologyVersion, Parameter, Variant


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A parameter (or a column of a table) without value and the variants that it blocks; all when `everything`."""

    item: Parameter | Column
    variants: tuple[Variant, ...]
    everything: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """The variants that calculate, and what they wait for, in the order of the folder."""

    running: tuple[Variant, ...]
    waiting: tuple[Waiting, ...]


def standing(version: MethodologyVersion) -> Standing:
    """Return what calculates and what waits, from the same tree that refuses."""
    items: list[Parameter | Column] = [item for item in version.parameters if item.active is None]
    items += [item for table in version.tables for item in table.columns if item.grid.digits is None]
    waiting = [
        Waiting(item=item, variants=blocked, everything=item.code in version.blocked_by)
        for item in items
        if (blocked := _blocked(version, item.code)) or item.code in version.blocked_by
    ]
    running = [v for v in version.variants if version.runnable and not version.variant_unset(v)]
    return Standing(running=tuple(running), waiting=tuple(waiting))


def _blocked(version: MethodologyVersion, code: str) -> tuple[Variant, ...]:
    capped = version.cap is not None and version.cap.parameter == code
    return tuple(v for v in version.variants if capped or code in version.variant_unset(v))
