"""The difference of two versions of a methodology, as the engine finds it: what can change a result comes first."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.design.science import change_rows
from tanpuhui.interfaces.portal.navigation import page, worded
from tanpuhui.interfaces.portal.views.methodologies import chosen_version, state_text
from tanpuhui.science.engine import difference
from tanpuhui.science.methodology import queries as methodology


@require_safe
def compare(request: HttpRequest, code: str, old: str, new: str) -> HttpResponse:
    """Show what distinguishes two version numbers of one methodology."""
    if old == new:
        raise Http404
    before, _ = chosen_version(code, old)
    after, _ = chosen_version(code, new)
    changes = difference(methodology.loaded(before.id), methodology.loaded(after.id))
    name = worded(after.name_zh, after.name_en)
    context: dict[str, Any] = {
        "name": name,
        "before": before,
        "after": after,
        "pair": [(view, state_text(view.state)) for view in (before, after)],
        "telling": change_rows([one for one in changes if one.changes_result]),
        "harmless": change_rows([one for one in changes if not one.changes_result]),
        "sets_differ": before.parameter_set_sha256 != after.parameter_set_sha256,
    }
    crumbs = (
        Crumb(gettext("方法学"), reverse("portal:methodologies")),
        Crumb(f"{code} {new}", reverse("portal:methodology", args=[code, new])),
        Crumb(gettext("与 %(old)s 版比较") % {"old": old}),
    )
    return page(
        request, "portal/methodology_difference.html", context, section="methodologies", crumbs=crumbs
    )
