"""Crediting (计入): the reduction of a project's period to whole tonnes, and what is carried to the next one."""

from __future__ import annotations

from tanpuhui.foundation.kernel.quantities import Grams, Tonnes, WholeTonnes, floor_to_tonnes
from tanpuhui.science.engine.model import Crediting


def credit(crediting: Crediting, *, period: Grams, carried: Grams) -> WholeTonnes:
    """Return the tonnes a period may be issued and the grams carried on.

    A negative period is carried and netted before anything is issued again (research 2.7, 2.4); a remainder is
    carried where the version says so, and lapses where it does not.
    """
    total = period + carried
    if total < Grams(0):
        return WholeTonnes(Tonnes(0), total)
    whole = floor_to_tonnes(total)
    return whole if "remainder" in crediting.carried else WholeTonnes(whole.tonnes, Grams(0))
