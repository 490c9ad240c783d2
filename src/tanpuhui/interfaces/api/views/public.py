"""Open documents: certificates, the signed head of the log, the published keys."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router

from tanpuhui.books.transparency import queries as transparency
from tanpuhui.credits.registry import queries as registry
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.queries import published_key_set
from tanpuhui.interfaces.api.problems import problems
from tanpuhui.interfaces.api.schemas import CertificateDocument

router = Router(tags=["public"])
JSON_DOCUMENT = {
    "responses": {
        200: {"description": "JSON", "content": {"application/json": {"schema": {"type": "object"}}}}
    }
}


@router.get(
    "/certificates/{number}",
    url_name="certificate",
    response={200: CertificateDocument} | problems(404),
    summary="读一张证书 / Read a certificate",
)
def certificate(request: HttpRequest, number: str) -> CertificateDocument:
    """Return what the registry holds of a certificate, and where to get the bundle that proves it."""
    view = registry.certificate(number=number)
    return CertificateDocument(
        number=view.number,
        quantity_t=view.quantity.value,
        retired_at=view.retired_at,
        content=dict(view.payload),
        page_url=request.build_absolute_uri(reverse("portal:certificate", args=[view.number])),
        bundle_url=request.build_absolute_uri(reverse("portal:certificate-json", args=[view.number])),
    )


@router.get(
    "/log/head",
    url_name="log-head",
    response={200: None} | problems(404),
    summary="读公开日志的最新树头 / Read the latest signed head of the public log",
    openapi_extra=JSON_DOCUMENT,
)
def head(request: HttpRequest) -> HttpResponse:
    """Send the head and its signatures as canonical JSON."""
    found = transparency.head()
    if found is None:
        raise NotFound(what="树头 / signed head", id=0)
    return HttpResponse(found.document(), content_type="application/json")


@router.get(
    "/keys",
    url_name="keys",
    response={200: None} | problems(503),
    summary="读公开密钥 / Read the published keys",
    openapi_extra=JSON_DOCUMENT,
)
def keys(request: HttpRequest) -> HttpResponse:
    """Send the key set that checks every signature of the log."""
    return HttpResponse(published_key_set(), content_type="application/json")
