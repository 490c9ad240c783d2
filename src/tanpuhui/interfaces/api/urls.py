"""Addresses of this face, version 1. ninja gives the namespace `api`."""

from django.urls import URLPattern, URLResolver, path

from tanpuhui.interfaces.api.service import api

urlpatterns: list[URLPattern | URLResolver] = [path("", api.urls)]
