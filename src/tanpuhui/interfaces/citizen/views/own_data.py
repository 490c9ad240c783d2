"""My data (我的数据): what is held of the person, the copy of it, and to whom it was handed over."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.foundation.audit import queries as audit
from tanpuhui.foundation.audit.operations import hand_over_own_data
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.access import signing_in
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.citizen.navigation import acting, page
from tanpuhui.interfaces.citizen.own_copy import PARTS, as_json, as_sheets, parts
from tanpuhui.interfaces.design.sheets import XLSX

PURPOSE = "own_copy"


@require_safe
@never_cache
def own(request: HttpRequest) -> HttpResponse:
    """Show what is held, and to whom it was handed over."""
    return _show(request)


@require_POST
@never_cache
def copy(request: HttpRequest, form: str) -> HttpResponseBase:
    """Send the copy, as `json` or `xlsx`, to somebody who signed in a moment ago; that it was taken is written down first."""
    actor, user_id = acting(request)
    at = timezone.now()
    try:
        signing_in.require_fresh(request, at=at)
    except Refusal as refusal:
        return _show(request, refused=refusal, status=status_of(refusal.code))
    hand_over_own_data(actor=actor, at=at, user_id=user_id, purpose=PURPOSE, data_kinds=PARTS)
    found = parts(user_id, at=at)
    response: HttpResponseBase
    if form == "xlsx":
        response = FileResponse(
            as_sheets(found), as_attachment=True, filename="my-data.xlsx", content_type=XLSX
        )
    else:
        response = HttpResponse(as_json(found, at=at), content_type="application/json; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    response["Cache-Control"] = "no-store"
    return response


def _show(request: HttpRequest, *, refused: Refusal | None = None, status: int = 200) -> HttpResponse:
    _, user_id = acting(request)
    words = kind_words()
    context = {
        "kinds": [words[code] for code in PARTS],
        "handed": [
            {
                "at": timezone.localtime(one.at),
                "to": gettext("您本人") if one.recipient == f"user:{user_id}" else gettext("见用途"),
                "purpose": gettext("下载我的数据") if one.purpose == PURPOSE else one.purpose,
            }
            for one in audit.disclosures_of(user_id)
        ],
        "refused": refused,
    }
    return page(
        request,
        "citizen/own_data.html",
        context,
        section="me",
        title=gettext("我的数据"),
        back=reverse("citizen:me"),
        status=status,
    )


def kind_words() -> dict[str, str]:
    """Return what each kind of data is, in words for everybody."""
    return {
        "person": gettext("姓名、手机号、所在地"),
        "account": gettext("碳账户"),
        "consents": gettext("授权和撤回"),
        "partners": gettext("绑定的数据方"),
        "records": gettext("每一笔减排记录和轨迹"),
        "waiting": gettext("待结算的记录"),
        "not_counted": gettext("没有计入的记录"),
        "lines": gettext("对账单的每一行"),
        "coupons": gettext("兑换和券"),
        "programmes": gettext("原平台迁入"),
        "messages": gettext("消息"),
        "sign_ins": gettext("登录记录"),
        "disclosures": gettext("提供记录"),
    }
