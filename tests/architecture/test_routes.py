"""Every address stands in the permission table, the table names no address that is not there, and the rest is closed."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, path

from tanpuhui.interfaces.access.middleware import AccessMiddleware
from tanpuhui.interfaces.access.table import route_rules


def names(resolver: URLResolver, spaces: tuple[str, ...] = ()) -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from names(entry, (*spaces, entry.namespace) if entry.namespace else spaces)
        elif isinstance(entry, URLPattern):
            yield ":".join((*spaces, entry.name or f"without a name: {entry.pattern}"))


def addresses() -> set[str]:
    return set(names(get_resolver()))


def test_there_are_addresses_to_look_at() -> None:
    assert {"portal:home", "portal:certificate", "api:batches", "set_language"} <= addresses()


def test_every_address_stands_in_the_table() -> None:
    assert addresses() - route_rules().keys() == set()


def test_the_table_names_no_address_that_is_not_there() -> None:
    assert route_rules().keys() - addresses() == set()


def forgotten(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/forgotten", "/api/v1/forgotten"])
def test_an_address_missing_from_the_table_is_closed(address: str, settings: Any) -> None:
    urls = ModuleType("urls_with_two_forgotten")
    urls.urlpatterns = [  # type: ignore[attr-defined]
        path("forgotten", forgotten, name="forgotten"),
        path("api/v1/forgotten", forgotten, name="forgotten-too"),
    ]
    urls.handler403 = "tanpuhui.interfaces.access.faults.forbidden"  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = urls
    response = Client().get(address)
    assert response.status_code == 403
    assert b"secret" not in response.content


def test_an_address_that_was_not_resolved_is_closed_too() -> None:
    request = RequestFactory().get("/")
    request.actor = None  # type: ignore[attr-defined]
    middleware = AccessMiddleware(lambda _: HttpResponse())
    with pytest.raises(PermissionDenied):
        middleware.process_view(request, forgotten, (), {})  # type: ignore[arg-type]
