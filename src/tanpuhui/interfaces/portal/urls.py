"""Addresses of this face. Those of certificates, serials, coupons, keys and the log never change."""

from django.urls import URLPattern, URLResolver, path

from tanpuhui.interfaces.portal.views import (
    certificates,
    coupons,
    health,
    home,
    log,
    methodologies,
    methodology,
    methodology_difference,
    register,
    sign_in,
    words,
)

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("methodologies", methodologies.library, name="methodologies"),
    path("methodologies/<str:code>/<str:version>", methodology.version, name="methodology"),
    path(
        "methodologies/<str:code>/<str:version>/archive/<str:sha256>",
        methodologies.archive,
        name="methodology-archive",
    ),
    path(
        "methodologies/<str:code>/<str:old>/to/<str:new>",
        methodology_difference.compare,
        name="methodology-difference",
    ),
    path("register", register.register, name="register"),
    path("register/<int:issuance_id>", register.issuance, name="issuance"),
    path("s/<str:serial>", register.serial, name="serial"),
    path("c/<str:number>.json", certificates.bundle, name="certificate-json"),
    path("c/<str:number>.pdf", certificates.pdf, name="certificate-pdf"),
    path("c/<str:number>", certificates.certificate, name="certificate"),
    path("verify", certificates.verify, name="verify"),
    path("log/", log.heads, name="log"),
    path("log/head", log.latest_head, name="log-head"),
    path("log/heads/<int:size>", log.head_at, name="log-head-at"),
    path("log/proof/inclusion/<int:leaf_id>", log.inclusion, name="log-inclusion"),
    path("log/proof/consistency/<int:old_size>/<int:new_size>", log.consistency, name="log-consistency"),
    path("keys", log.keys, name="keys"),
    path("keys/about", log.key_page, name="key-page"),
    path("r/<str:code>", coupons.coupon, name="coupon"),
    path("sign-in", sign_in.chooser, name="sign-in"),
    path("sign-in/code", sign_in.send_code, name="sign-in-code"),
    path("sign-in/citizen", sign_in.citizen, name="sign-in-citizen"),
    path("sign-in/register", sign_in.register, name="register-citizen"),
    path("sign-in/organisation", sign_in.organisation, name="sign-in-organisation"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("guide", words.guide, name="guide"),
    path("about", words.about, name="about"),
]
