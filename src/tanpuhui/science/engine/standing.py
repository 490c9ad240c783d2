"""What of a version calculates, and what waits for which value (能算什么、等什么). For people who read the library."""

from __future__ import annotations

from dataclasses import dataclass

from tanpuhui.science.engine.model import MethodologyVersion, Parameter, Variant


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A parameter without value and the variants that it blocks; every one of them when `everything`."""

    parameter: Parameter
    variants: tuple[Variant, ...]
    everything: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """The variants that calculate, and the parameters for which something waits, in the order of the folder."""

    running: tuple[Variant, ...]
    waiting: tuple[Waiting, ...]


def standing(version: MethodologyVersion) -> Standing:
    """Return what calculates and what waits, from the same tree that refuses."""
    waiting = [
        Waiting(
            parameter=parameter,
            variants=blocked,
            everything=parameter.code in version.blocked_by,
        )
        for parameter in version.parameters
        if parameter.active is None
        and ((blocked := _blocked(version, parameter)) or parameter.code in version.blocked_by)
    ]
    running = [v for v in version.variants if version.runnable and not version.variant_unset(v)]
    return Standing(running=tuple(running), waiting=tuple(waiting))


def _blocked(version: MethodologyVersion, parameter: Parameter) -> tuple[Variant, ...]:
    capped = version.cap is not None and version.cap.parameter == parameter.code
    return tuple(v for v in version.variants if capped or parameter.code in version.variant_unset(v))
