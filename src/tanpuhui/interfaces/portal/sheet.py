"""From an examined certificate to the sheet that is printed (证书版面)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext

from tanpuhui.credits.registry.queries import Serial, Span
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.typeset import CertificateSheet
from tanpuhui.interfaces.portal.examination import Examination, Standing
from tanpuhui.interfaces.portal.navigation import in_english, worded

DIGEST_GROUP = 32


class CertificateNotSound(Refusal):
    """A certificate that does not pass its checks is not printed."""

    code = "CERTIFICATE_NOT_SOUND"
    zh = "证书 {number} 没有通过查验，不能打印。请打开查验页看哪一项不符，并告诉登记机构。"
    en = "Certificate {number} did not pass its checks and is not printed. See its page for the check that failed and tell the registry."


class ProofAwaited(Refusal):
    """A certificate whose proof is pending is printed a moment later."""

    code = "PROOF_PENDING"
    zh = "证书 {number} 的公开证明还在生成，几秒后再下载。"
    en = "The public proof of certificate {number} is being made. Download it again in a few seconds."
    retryable = True


def verification_url(number: str) -> str:
    """Return the lasting public address of a certificate, as its QR code carries it."""
    return settings.TANPUHUI_PUBLIC_URL.rstrip("/") + reverse("portal:certificate", args=[number])


def sheet_of(examined: Examination) -> CertificateSheet:
    """Return the sheet of a sound certificate; raises CertificateNotSound, ProofAwaited."""
    number = examined.certificate.number
    if examined.standing is Standing.PENDING:
        raise ProofAwaited(number=number)
    if examined.standing is not Standing.VALID:
        raise CertificateNotSound(number=number)
    said = examined.payload
    place = jurisdiction()
    day = dt.date.fromisoformat(said["retired_on"])
    unit = worded(said["unit"]["name"], place.unit_name_en)
    return CertificateSheet(
        number=number,
        title=(gettext("碳普惠减排量"), gettext("消纳证书")),
        subtitle="" if in_english() else "Certificate of Retirement",
        tonnes=examined.certificate.quantity,
        statement=gettext("兹证明，下列%(unit)s已在登记簿中永久消纳，不可再次转让或使用。") % {"unit": unit},
        facts=sheet_facts(said),
        issuer=worded(place.scheme_zh, place.scheme_en),
        signature=gettext("消纳于 %(day)s，公开日志以 Ed25519 与 SM2 双签名")
        % {"day": figures.full_day_in_words(day)},
        log_lines=(
            f"SHA-256 {examined.leaf_digest[:DIGEST_GROUP]}",
            examined.leaf_digest[DIGEST_GROUP:],
            gettext("公开日志第 %(place)s 条，第 %(head)s 号树头")
            % {"place": f"{(examined.leaf_index or 0) + 1:,}", "head": f"{examined.head_number:,}"},
        ),
        verify_url=verification_url(number),
        issued_on=day,
        language="en" if in_english() else "zh",
    )


def sheet_facts(said: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the facts of a certificate as pairs of label and value."""
    return (
        (gettext("受益方"), beneficiary_text(said)),
        (gettext("用途"), said["purpose"]["text"]),
        (gettext("序列号"), "；".join(serial_texts(said))),
        (gettext("来源项目"), f"{said['project']['code']} {said['project']['name']}"),
        (gettext("方法学"), f"{said['methodology']['code']} {said['methodology']['version']}"),
        (gettext("减排年份"), said["vintage"]),
        (gettext("消纳日期"), said["retired_on"]),
        (gettext("持有人"), said["holder"]["name"]),
    )


def beneficiary_text(said: Mapping[str, Any]) -> str:
    """Name the beneficiary; a natural person stands in public only as a commitment."""
    beneficiary = said["beneficiary"]
    if beneficiary["kind"] == "person":
        return gettext("自然人（公开处只有承诺值 %(digest)s）") % {
            "digest": figures.short_digest(beneficiary["commitment"])
        }
    return str(beneficiary["name"])


def serial_texts(said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the serials of a certificate as people write them, check character included."""
    found = []
    for entry in said["serial_ranges"]:
        prefix, project_code, vintage = entry["issuance"].rsplit("-", 2)
        found.append(str(Serial(prefix, project_code, int(vintage), Span(entry["first"], entry["last"]))))
    return tuple(found)
