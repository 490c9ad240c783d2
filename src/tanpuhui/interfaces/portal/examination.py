"""What is checked when somebody opens a certificate (查验): registry, log, signatures and history, on this request.

A certificate is called valid only when every check was made now and passed. What could not be read counts as failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, ngettext

from tanpuhui.books.transparency import queries as transparency
from tanpuhui.credits.registry import queries as registry
from tanpuhui.credits.registry.queries import BlockView, CertificateView, Serial, Span
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.keys.queries import published_key_set
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Check
from tanpuhui.interfaces.portal.navigation import in_english

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""What reading a damaged row of the log raises; a damaged certificate is shown as one, never as an error page."""


class Standing(StrEnum):
    """What the checks say together."""

    VALID = "valid"
    PENDING = "pending"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """The checks of one certificate and what they were made on.

    `payload` is what the log says, or what the registry says where the log could not be read. `bundle` is
    certificate.json, empty where it could not be made.
    """

    certificate: CertificateView
    standing: Standing
    checks: tuple[Check, ...]
    payload: Mapping[str, Any]
    bundle: bytes
    leaf_digest: str = ""
    leaf_index: int | None = None
    sides: tuple[str, ...] = ()
    head_number: int | None = None
    head_digest: str = ""
    head_signed_at: str = ""
    key_ids: tuple[str, ...] = ()


def examine(*, number: str) -> Examination:
    """Check a certificate now; raises NotFound where the registry has none of this number."""
    certificate = registry.certificate(number=number)
    bundle, proof, hashed = _read_bundle(certificate)
    verdict = transparency.verify_certificate(bundle, published_key_set())
    found = {check.code: check for check in verdict.checks}
    agrees = registry_check(certificate, verdict.certificate)
    if proof is None and "PROOF_PENDING" in found:
        standing = Standing.PENDING if agrees.ok else Standing.DAMAGED
        return Examination(
            certificate=certificate,
            standing=standing,
            checks=(agrees,),
            payload=verdict.certificate or certificate.payload,
            bundle=bundle,
            leaf_digest=hashed,
        )
    if proof is None or verdict.size is None:
        trouble = [_said(check) for check in verdict.checks if not check.ok] or [
            gettext("日志里没有这张证书")
        ]
        return Examination(
            certificate=certificate,
            standing=Standing.DAMAGED,
            checks=(agrees, Check(gettext("证书不在公开日志中"), trouble[0], ok=False)),
            payload=verdict.certificate or certificate.payload,
            bundle=bundle,
            leaf_digest=hashed,
        )
    checks = (
        agrees,
        _inclusion_check(found, proof),
        _signature_check(found, proof),
        _history_check(certificate, size=verdict.size),
    )
    sound = verdict.valid and all(check.ok for check in checks)
    return Examination(
        certificate=certificate,
        standing=Standing.VALID if sound else Standing.DAMAGED,
        checks=checks,
        payload=verdict.certificate or certificate.payload,
        bundle=bundle,
        leaf_digest=hashed,
        leaf_index=proof["leaf_index"],
        sides=tuple(transparency.path_sides(proof["leaf_index"], verdict.size)),
        head_number=verdict.as_of_head,
        head_digest=proof["head"]["root"],
        head_signed_at=proof["head"]["signed_at"],
        key_ids=tuple(one["key_id"] for one in proof["signatures"].values()),
    )


def registry_check(certificate: CertificateView, logged: Mapping[str, Any] | None) -> Check:
    """Check that the registry says what the log says, and that exactly these units are retired under this number."""
    title, ok = gettext("登记簿一致"), gettext("登记簿不一致")
    if logged is None or dict(logged) != dict(certificate.payload):
        return Check(ok, gettext("登记簿里的证书内容与公开日志里的不同"), ok=False)
    if certificate.quantity.value != logged["quantity_t"]:
        return Check(ok, gettext("登记簿里的吨数与证书不同"), ok=False)
    try:
        retired = sum(_retired_units(certificate.number, entry) for entry in logged["serial_ranges"])
    except (Refusal, *UNREADABLE):
        return Check(ok, gettext("登记簿里找不到证书上的序列号"), ok=False)
    if retired != logged["quantity_t"]:
        detail = gettext("证书上 %(said)s 个序列号，登记簿里在本证书名下消纳的是 %(found)s 个")
        said = {"said": f"{logged['quantity_t']:,}", "found": f"{retired:,}"}
        return Check(ok, detail % said, ok=False)
    detail = ngettext(
        "序列号 %(n)s 个，状态均为已消纳，未在别处使用",
        "序列号 %(n)s 个，状态均为已消纳，未在别处使用",
        retired,
    )
    return Check(title, detail % {"n": f"{retired:,}"})


def _retired_units(number: str, entry: Mapping[str, Any]) -> int:
    """Count the units of one range of a certificate that the registry holds as retired under its number."""
    prefix, project_code, vintage = entry["issuance"].rsplit("-", 2)
    span = Span(entry["first"], entry["last"])
    blocks: Sequence[BlockView] = registry.serial(text=str(Serial(prefix, project_code, int(vintage), span)))
    return sum(
        min(block.span.last, span.last) - max(block.span.first, span.first) + 1
        for block in blocks
        if block.state == "retired" and block.certificate_number == number
    )


def _read_bundle(certificate: CertificateView) -> tuple[bytes, dict[str, Any] | None, str]:
    """Return certificate.json, its proof (None where pending or unreadable), and the leaf's hash where it could be read."""
    hashed = ""
    try:
        bundle = transparency.certificate_bundle(leaf_id=certificate.leaf_id)
        hashed = transparency.leaf_hash_of(leaf_id=certificate.leaf_id)
        return bundle, json.loads(bundle)["proof"], hashed
    except (NotFound, *UNREADABLE):
        return b"", None, hashed


def _inclusion_check(found: Mapping[str, Any], proof: Mapping[str, Any]) -> Check:
    check = found.get("INCLUDED")
    if check is None or not check.ok:
        said = gettext("内容或证明路径被改动过") if check is None else _said(check)
        return Check(gettext("证书与公开日志不符"), said, ok=False)
    steps = len(proof["path"])
    detail = ngettext(
        "第 %(place)s 条，经 %(steps)s 次哈希到达树头", "第 %(place)s 条，经 %(steps)s 次哈希到达树头", steps
    )
    place = f"{proof['leaf_index'] + 1:,}"
    return Check(gettext("证书在公开日志中"), detail % {"place": place, "steps": steps})


def _signature_check(found: Mapping[str, Any], proof: Mapping[str, Any]) -> Check:
    signatures = [check for code, check in found.items() if code.startswith("SIGNED_")]
    bad = [_said(check) for check in signatures if not check.ok]
    if bad or len(signatures) != len(proof["signatures"]) or not signatures:
        return Check(gettext("树头签名无效"), "".join(bad) or gettext("签名缺失"), ok=False)
    detail = gettext("第 %(number)s 号树头，Ed25519 与 SM2 两种签名都有效，密钥已公开")
    return Check(gettext("树头已签名"), detail % {"number": f"{proof['head']['number']:,}"})


def _history_check(certificate: CertificateView, *, size: int) -> Check:
    """Check that the head used only appended to an earlier one: the first that covered the certificate, or the one before."""
    broken = gettext("历史被改写")
    try:
        later = transparency.head(size=size)
        if later is None:
            return Check(broken, gettext("找不到证明所用的树头"), ok=False)
        earlier = transparency.head_covering(leaf_id=certificate.leaf_id)
        if earlier is None or earlier.head.number >= later.head.number:
            earlier = transparency.head_before(number=later.head.number)
        if earlier is None:
            return Check(gettext("没有改写历史"), gettext("这是第一个树头，之前没有可比的历史"))
        sound = transparency.only_appended(earlier=earlier, later=later)
    except UNREADABLE:
        return Check(broken, gettext("较早的树头已经无法读取"), ok=False)
    signed_at = parse_datetime(earlier.head.signed_at)
    when = {
        "number": f"{earlier.head.number:,}",
        "day": figures.day_in_sentence(signed_at) if signed_at else earlier.head.signed_at,
    }
    if not sound:
        return Check(broken, gettext("与 %(day)s第 %(number)s 号树头对不上") % when, ok=False)
    return Check(gettext("没有改写历史"), gettext("与 %(day)s第 %(number)s 号树头前后一致") % when)


def _said(check: Any) -> str:
    """Return a verifier's sentence in the language of the page."""
    return str(check.en if in_english() else check.zh)
