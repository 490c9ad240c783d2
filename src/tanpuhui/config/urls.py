"""Where each face begins."""

from django.urls import include, path

urlpatterns = [
    path("m/", include("tanpuhui.interfaces.citizen.urls")),
    path("w/", include("tanpuhui.interfaces.workbench.urls")),
    path("api/v1/", include("tanpuhui.interfaces.api.urls")),
    path("", include("tanpuhui.interfaces.portal.urls")),
]
