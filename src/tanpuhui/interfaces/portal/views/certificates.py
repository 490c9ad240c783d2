"""The page of a certificate, its files, and the check of a certificate that somebody brings along."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.books.transparency.queries import Verdict, verify_certificate
from tanpuhui.credits.registry import queries as registry
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.queries import published_key_set
from tanpuhui.interfaces.design.parts import Check, Crumb, Fact, Proof
from tanpuhui.interfaces.design.typeset import render_certificate
from tanpuhui.interfaces.portal.examination import Examination, examine
from tanpuhui.interfaces.portal.navigation import in_english, page
from tanpuhui.interfaces.portal.sheet import beneficiary_text, serial_texts, sheet_of, verification_url

BUNDLE_BYTES_MAX = 1024 * 1024


@require_safe
def certificate(request: HttpRequest, number: str) -> HttpResponse:
    """Check a certificate now and show what was found."""
    crumbs = (
        Crumb(gettext("登记簿"), reverse("portal:register")),
        Crumb(gettext("消纳证书")),
        Crumb(number.upper()),
    )
    try:
        examined = examine(number=number)
    except NotFound:
        return page(
            request,
            "portal/certificate_unknown.html",
            {"number": number.upper()},
            section="verify",
            crumbs=crumbs,
            status=404,
        )
    view = examined.certificate
    context: dict[str, Any] = {
        "examined": examined,
        "view": view,
        "standing": examined.standing.value,
        "facts": _facts(examined),
        "serials": serial_texts(examined.payload),
        "ranges": examined.payload["serial_ranges"],
        "proof": _proof(examined),
        "public_url": verification_url(view.number),
    }
    response = page(request, "portal/certificate.html", context, section="verify", crumbs=crumbs)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def bundle(request: HttpRequest, number: str) -> HttpResponse:
    """Send certificate.json, as a stranger checks it without us."""
    found = registry.certificate(number=number)
    content = registry.certificate_bundle(number=found.number)
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{found.number}.json"'
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def pdf(request: HttpRequest, number: str) -> HttpResponse:
    """Send the certificate as a sheet of paper; only a sound one is printed."""
    examined = examine(number=number)
    response = HttpResponse(render_certificate(sheet_of(examined)), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{examined.certificate.number}.pdf"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Check a certificate.json that a stranger uploads, by the same pure verifier that runs offline."""
    context: dict[str, Any] = {"public_url": request.build_absolute_uri(reverse("portal:keys"))}
    crumbs = (Crumb(gettext("查验证书")),)
    status = 200
    if request.method == "POST":
        upload = request.FILES.get("file")
        if upload is None or (upload.size or 0) > BUNDLE_BYTES_MAX:
            context["error"] = gettext("请选择从证书页下载的 JSON 文件，不超过 1 MB。")
            status = 422
        else:
            verdict = verify_certificate(upload.read(), published_key_set())
            context |= {"verdict": verdict, "checks": _verdict_checks(verdict), "said": _said(verdict)}
    return page(request, "portal/verify.html", context, section="verify", crumbs=crumbs, status=status)


def _facts(examined: Examination) -> tuple[Fact, ...]:
    said = examined.payload
    code, version = said["methodology"]["code"], said["methodology"]["version"]
    one_version = "+" not in code and "+" not in version
    return (
        Fact(gettext("受益方"), beneficiary_text(said)),
        Fact(gettext("用途"), said["purpose"]["text"]),
        Fact(
            gettext("来源项目"),
            f"{said['project']['code']} {said['project']['name']}",
            url=reverse("portal:issuance", args=[examined.certificate.issuance.issuance_id]),
        ),
        Fact(
            gettext("方法学"),
            f"{code} {version}",
            url=reverse("portal:methodology", args=[code, version]) if one_version else "",
        ),
        Fact(gettext("减排年份"), said["vintage"]),
        Fact(gettext("消纳日期"), said["retired_on"]),
        Fact(gettext("持有人"), said["holder"]["name"]),
    )


def _proof(examined: Examination) -> Proof | None:
    """Return the proof panel, None where no head can be shown."""
    if examined.head_number is None:
        return None
    return Proof(
        checks=examined.checks,
        sides=examined.sides,
        leaf_digest=examined.leaf_digest,
        head_number=examined.head_number,
        head_digest=examined.head_digest,
        checked_at=timezone.now(),
        download_url=reverse("portal:certificate-json", args=[examined.certificate.number]),
        download_size=_size_text(len(examined.bundle)),
        how_url=f"{reverse('portal:verify')}#how",
    )


def _size_text(size: int) -> str:
    return f"{size // 1000}.{size % 1000 // 100} kB"


def _verdict_checks(verdict: Verdict) -> list[Check]:
    return [Check(check.en if in_english() else check.zh, "", ok=check.ok) for check in verdict.checks]


def _said(verdict: Verdict) -> dict[str, Any] | None:
    """Return what a valid certificate says; of any other one nothing is repeated, since nothing of it is known."""
    said: Any = verdict.certificate
    if not verdict.valid or said is None:
        return None
    return {
        "number": said["number"],
        "quantity_t": said["quantity_t"],
        "facts": (
            Fact(gettext("受益方"), beneficiary_text(said)),
            Fact(gettext("用途"), said["purpose"]["text"]),
            Fact(gettext("来源项目"), f"{said['project']['code']} {said['project']['name']}"),
            Fact(gettext("序列号"), "；".join(serial_texts(said)), mono=True),
            Fact(gettext("消纳日期"), dt.date.fromisoformat(said["retired_on"]).isoformat()),
            Fact(gettext("持有人"), said["holder"]["name"]),
        ),
    }
