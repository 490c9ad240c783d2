"""Signing in another way: sent to another place, come back, known or asked for the phone once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tanpuhui.foundation.identity.operations import (
    begin_federation,
    complete_federation,
    sign_in_with_identity,
)
from tanpuhui.foundation.identity.queries.sign_in import second_factors
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.access import signing_in
from tanpuhui.interfaces.portal.views.sign_in import (
    ask_for_phone,
    gone_on,
    refused_citizen,
    safe_next,
    see_other,
)


@require_safe
@never_cache
def leave_for(request: HttpRequest, way: str) -> HttpResponse:
    """Send the browser to another place's sign-in. A link, not a form: our policy lets no form lead to another site."""
    at = timezone.now()
    try:
        sent = begin_federation(way=way, return_address=_return_address(request, way))
    except Refusal as refusal:
        return refused_citizen(request, refusal)
    wanted = safe_next(request, request.GET.get("next", ""))
    signing_in.keep_elsewhere(request, way=way, kept=sent.kept, wanted=wanted, at=at)
    return HttpResponseRedirect(sent.address)


@require_safe
@never_cache
def come_back(request: HttpRequest, way: str) -> HttpResponse:
    """Meet whoever comes back: open their session, ask for their second factor, or ask for their phone once."""
    at = timezone.now()
    try:
        kept, wanted = signing_in.take_elsewhere(request, way=way, at=at)
        identity = complete_federation(
            way=way,
            kept=kept,
            brought=request.GET.dict(),
            return_address=_return_address(request, way),
            at=at,
        )
        user = sign_in_with_identity(identity=identity, at=at)
    except Refusal as refusal:
        return refused_citizen(request, refusal)
    if user is None:
        signing_in.keep_unbound(request, identity, at=at)
        return ask_for_phone(request, identity, wanted=wanted)
    if not user.is_citizen:
        # Another place's word stands for the password only; what only the person holds is asked for here.
        signing_in.hold(request, user, wanted=wanted, at=at)
        return see_other("second-factor" if second_factors(user.pk).any else "enrol")
    signing_in.enter(request, user, way=way, at=at)
    return gone_on(wanted, user)


def _return_address(request: HttpRequest, way: str) -> str:
    return request.build_absolute_uri(reverse("portal:sign-in-return", args=[way]))
