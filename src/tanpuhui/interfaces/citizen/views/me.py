"""The person's own page: account number, phone, consents, display, language, and signing out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.interfaces.citizen.navigation import acting, page, worded
from tanpuhui.interfaces.citizen.rows import icon_of


@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """Show what the platform knows about the person, and how the pages look to them."""
    _, user_id = acting(request)
    person = identity.person(user_id)
    consents = [
        {
            "name": worded(one.name_zh, one.name_en),
            "icon": icon_of(one.code),
            "code": one.code,
            "given_at": spans[-1][0],
        }
        for one in activity.scenarios()
        if (spans := identity.consents_of(user_ids=[user_id], scenario=one.code).get(user_id, ()))
        and spans[-1][1] is None
    ]
    context = {
        "person": person,
        "account": accounts.accounts_of_users([user_id]).get(user_id),
        "area": _area(person.area),
        "consents": consents,
    }
    return page(request, "citizen/me.html", context, section="me")


def _area(code: str) -> str:
    """Return the name of the person's area, the code where the regions have none."""
    try:
        region = rulebook.region(code)
    except NotFound:
        return code
    return worded(region.name_zh, region.name_en)
