"""The public log: heads, proofs and keys, as pages for people and as documents for programs."""

from __future__ import annotations

import dataclasses

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.books.transparency import queries as transparency
from tanpuhui.foundation.keys.queries import published_key_set, published_keys
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.portal.navigation import page

HEADS_SHOWN = 30
IMMUTABLE = "public, max-age=31536000, immutable"


@require_safe
def heads(request: HttpRequest) -> HttpResponse:
    """List the signed heads, the newest first."""
    before = request.GET.get("before", "")
    found = transparency.heads(before=int(before) if before.isdecimal() else None, limit=HEADS_SHOWN + 1)
    shown, more = found[:HEADS_SHOWN], len(found) > HEADS_SHOWN
    columns = (
        Column(gettext("树头"), "num"),
        Column(gettext("记录数"), "num"),
        Column(gettext("新增"), "num"),
        Column(gettext("树根"), "mono"),
        Column(gettext("签名时间")),
    )
    rows = [
        Row(
            (
                f"{one.head.number:,}",
                f"{one.head.size:,}",
                f"{one.head.size - one.head.previous_size:,}",
                figures.short_digest(one.head.root),
                figures.number_markup(_moment(one.head.signed_at)),
            )
        )
        for one in shown
    ]
    context = {
        "latest": transparency.head(),
        "columns": columns,
        "rows": rows,
        "next_before": shown[-1].head.number if more else None,
        "newest": not before,
    }
    return page(request, "portal/log.html", context, section="log", crumbs=(Crumb(gettext("公开日志")),))


@require_safe
def latest_head(request: HttpRequest) -> HttpResponse:
    """Send the latest signed head."""
    found = transparency.head()
    if found is None:
        return JsonResponse(_nothing(gettext("还没有树头")), status=404)
    response = HttpResponse(found.document(), content_type="application/json")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def head_at(request: HttpRequest, size: int) -> HttpResponse:
    """Send the signed head over exactly this many leaves; it never changes."""
    found = transparency.head(size=size)
    if found is None:
        return JsonResponse(_nothing(gettext("没有这个大小的树头")), status=404)
    response = HttpResponse(found.document(), content_type="application/json")
    response["Cache-Control"] = IMMUTABLE
    return response


@require_safe
def inclusion(request: HttpRequest, leaf_id: int) -> HttpResponse:
    """Send the inclusion proof of a leaf (RFC 9162, 2.1.3) under the latest head, or under `size` leaves."""
    size = request.GET.get("size", "")
    if size and not size.isdecimal():
        raise Http404
    proof = transparency.inclusion_proof(leaf_id=leaf_id, size=int(size) if size else None)
    return JsonResponse(dataclasses.asdict(proof))


@require_safe
def consistency(request: HttpRequest, old_size: int, new_size: int) -> HttpResponse:
    """Send the consistency proof between two sizes (RFC 9162, 2.1.4)."""
    proof = transparency.consistency_proof(old_size=old_size, new_size=new_size)
    return JsonResponse(dataclasses.asdict(proof))


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Send the published key set, which `tanpuhui verify --keys` reads."""
    response = HttpResponse(published_key_set(), content_type="application/json")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def key_page(request: HttpRequest) -> HttpResponse:
    """Show the published keys to people."""
    columns = (
        Column(gettext("密钥"), "mono"),
        Column(gettext("算法")),
        Column(gettext("公钥"), "mono"),
        Column(gettext("有效期")),
    )
    names = {"ed25519": "Ed25519", "sm2-sm3": "SM2 / SM3"}
    rows = [
        Row(
            (
                key["key_id"] or "",
                names.get(key["algorithm"] or "", key["algorithm"] or ""),
                figures.short_digest(key["public_key"] or ""),
                figures.number_markup(_validity(key["valid_from"], key["valid_to"])),
            )
        )
        for key in published_keys()
    ]
    crumbs = (Crumb(gettext("公开密钥")),)
    return page(request, "portal/keys.html", {"columns": columns, "rows": rows}, section="log", crumbs=crumbs)


def _validity(valid_from: str | None, valid_to: str | None) -> str:
    begins = _moment(valid_from)[:10] if valid_from else gettext("启用起")
    ends = _moment(valid_to)[:10] if valid_to else gettext("使用中")
    return f"{begins} {figures.EN_DASH} {ends}"


def _moment(text: str) -> str:
    moment = parse_datetime(text)
    return figures.moment(moment) if moment else text


def _nothing(sentence: str) -> dict[str, object]:
    return {"code": "NOT_FOUND", "message": sentence, "data": {}, "retryable": False}
