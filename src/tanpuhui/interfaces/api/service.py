"""The API of version 1 (数据接口): one ninja API, its errors in one shape, its documents."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.interfaces.access.middleware import refusal_as_json
from tanpuhui.interfaces.api.views import batches, documents, public, reconciliation, records, results

api = NinjaAPI(
    title="Tanpuhui API",
    version="1",
    description=(
        "Partners sign their requests (HTTP Message Signatures, RFC 9421, Ed25519), or call with an API key (Authorization: Bearer …) until they have registered a signing key. Certificates, log and keys are public. "
        "Every error has one shape: code, message, data, retryable."
    ),
    urls_namespace="api",
    docs_url=None,
    openapi_url="openapi.json",
)
api.add_router("", batches.router)
api.add_router("", records.router)
api.add_router("", reconciliation.router)
api.add_router("", results.router)
api.add_router("", public.router)
api.add_router("", documents.router)


class RequestInvalid(Refusal):
    """The request does not have the shape that the documents give."""

    code = "INVALID"
    zh = "请求的 {field} 不对：{why}。请照接口文档改正。"
    en = "The request is not valid at {field}: {why}. Correct it as the documents say."


@api.exception_handler(Refusal)
def refused(request: HttpRequest, error: Refusal) -> HttpResponse:
    """Answer a refusal by its code."""
    return refusal_as_json(error)


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer a request of the wrong shape, in the same shape as every other error."""
    first: dict[str, Any] = error.errors[0]
    place = ".".join(str(part) for part in first.get("loc", ()))
    return refusal_as_json(RequestInvalid(field=place, why=first.get("msg", "")))


@api.exception_handler(Http404)
def missing(request: HttpRequest, error: Http404) -> HttpResponse:
    """Answer 404."""
    return refusal_as_json(NotFound(what="地址 / address", id=request.path))


@api.exception_handler(HttpError)
def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer what ninja itself refuses, such as a body that is no JSON."""
    response = refusal_as_json(RequestInvalid(field="request", why=str(error)))
    response.status_code = error.status_code
    return response
