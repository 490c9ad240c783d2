"""Addresses of the citizen face, below /m/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from tanpuhui.interfaces.citizen.views import (
    closing,
    coupons,
    explanation,
    home,
    lines,
    mall,
    manifest,
    me,
    messages,
    own_data,
    pools,
    records,
    scenes,
    traces,
)

app_name = "citizen"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("account", home.open_account, name="open-account"),
    path("records", records.records, name="records"),
    path("records/<int:posting>/<int:row>", explanation.record, name="record"),
    path("records/statement.csv", lines.statement_file, name="statement-file"),
    path("lines/<str:day>/<int:journal>", lines.line, name="line"),
    path("points", lines.points, name="points"),
    path("pools", pools.pools, name="pools"),
    path("pools/<int:pool>/pool-inclusion.json", pools.pool_proof, name="pool-proof"),
    path("scenes", scenes.scenes, name="scenes"),
    path("scenes/<str:code>", scenes.scene, name="scene"),
    path("scenes/<str:code>/consent", scenes.give, name="give-consent"),
    path("scenes/<str:code>/withdraw", scenes.withdraw, name="withdraw-consent"),
    path("scenes/<str:code>/erase", traces.erase, name="erase-traces"),
    path("mall", mall.mall, name="mall"),
    path("mall/<int:good>", mall.good, name="good"),
    path("mall/<int:good>/redeem", mall.redeem, name="redeem"),
    path("coupons", coupons.coupons, name="coupons"),
    path("coupons/<str:code>", coupons.coupon, name="coupon"),
    path("coupons/<str:code>/cancel", coupons.cancel, name="cancel-coupon"),
    path("me", me.me, name="me"),
    path("me/data", own_data.own, name="own-data"),
    re_path(r"^me/data/copy\.(?P<form>json|xlsx)$", own_data.copy, name="own-copy"),
    path("me/close", closing.close, name="close-account"),
    path("me/close/stay", closing.stay, name="stay"),
    path("me/sessions/end-others", me.end_others, name="end-sessions"),
    path("me/identities/<int:external_identity_id>/unbind", me.unbind, name="unbind"),
    path("messages", messages.messages, name="messages"),
    path("manifest.webmanifest", manifest.manifest, name="manifest"),
]
