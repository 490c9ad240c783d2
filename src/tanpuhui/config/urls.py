"""Where each face begins, how the language is chosen, and what a request meets that cannot be served."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

urlpatterns: list[URLPattern | URLResolver] = [
    path("m/", include("tanpuhui.interfaces.citizen.urls")),
    path("w/", include("tanpuhui.interfaces.workbench.urls")),
    path("api/v1/", include("tanpuhui.interfaces.api.urls")),
    path("language", set_language, name="set_language"),
    path("", include("tanpuhui.interfaces.portal.urls")),
]
if settings.DEBUG or settings.TANPUHUI_DEMO:
    urlpatterns.insert(0, path("design/", include("tanpuhui.interfaces.design.urls")))

handler400 = "tanpuhui.interfaces.access.faults.bad_request"
handler403 = "tanpuhui.interfaces.access.faults.forbidden"
handler404 = "tanpuhui.interfaces.access.faults.missing"
handler500 = "tanpuhui.interfaces.access.faults.failed"
