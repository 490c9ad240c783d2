"""Certificates as PDF: the same sheet gives the same bytes, and missing fonts are refused by name."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from django.conf import settings

from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.interfaces.design import typeset
from tanpuhui.interfaces.design.typeset import (
    CertificateSheet,
    FontsMissing,
    render_certificate,
    sheet_inputs,
)

SHEET = CertificateSheet(
    number="RET-2026-001286",
    title=("碳普惠减排量", "消纳证书"),
    subtitle="Certificate of Retirement",
    tonnes=Tonnes(186),
    statement="兹证明，下列核证减排量已在登记簿中永久消纳，不可再次转让或使用。",
    facts=(("受益方", "湿地徒步大会组委会"), ("序列号", "PH-P0231-2024-000412 – 000597")),
    issuer="省碳普惠运营中心",
    signature="签发于 2026 年 10 月 28 日，SM2 电子签名",
    log_lines=("SM3 9e02b7c451fa8d30e6b1d05f7722a94c", "公开日志第 44,906 条"),
    verify_url="https://example.org/c/RET-2026-001286",
    issued_on=dt.date(2026, 10, 28),
)
FONTS = Path(str(getattr(settings, "TANPUHUI_FONTS_DIR", "build/vendor/fonts")))
with_fonts = pytest.mark.skipif(
    not all((FONTS / name).is_file() for name in typeset.REQUIRED_FONTS),
    reason="the certificate fonts are not in the fonts folder: run make setup",
)


@with_fonts
def test_the_same_sheet_gives_the_same_bytes():
    first = render_certificate(SHEET)
    assert first.startswith(b"%PDF-")
    assert render_certificate(SHEET) == first


@with_fonts
def test_another_quantity_gives_other_bytes():
    assert render_certificate(dataclasses.replace(SHEET, tonnes=Tonnes(187))) != render_certificate(SHEET)


@with_fonts
def test_the_file_says_the_day_of_issue_and_not_today():
    pdf = render_certificate(SHEET)
    assert b"D:20261028" in pdf
    assert f"D:{dt.datetime.now(dt.UTC):%Y%m%d}".encode() not in pdf


@with_fonts
def test_only_the_package_fonts_are_in_the_file():
    pdf = render_certificate(SHEET)
    assert b"NotoSerifSC" in pdf
    assert b"NotoSerifCJK" not in pdf


@with_fonts
def test_text_that_looks_like_typesetting_stays_text():
    sheet = dataclasses.replace(
        SHEET, statement='#panic("x") *bold* $x$ ]', facts=(("受益方", '#read("/etc/passwd") [x'),)
    )
    assert render_certificate(sheet).startswith(b"%PDF-")


@with_fonts
def test_a_revoked_certificate_says_so_on_another_sheet():
    assert render_certificate(dataclasses.replace(SHEET, revocation="2026-11-02 撤销")) != render_certificate(
        SHEET
    )


def test_missing_fonts_are_refused_by_name(tmp_path, settings):
    settings.TANPUHUI_FONTS_DIR = tmp_path
    with pytest.raises(FontsMissing) as refusal:
        render_certificate(SHEET)
    assert refusal.value.code == "CERTIFICATE_FONTS_MISSING"
    assert "NotoSerifSC_400Regular.ttf" in refusal.value.message("zh")
    assert refusal.value.retryable


def test_the_caption_says_what_a_line_stands_for():
    assert sheet_inputs(SHEET)["lines_caption"] == "每一条线，是一吨"
    assert (
        sheet_inputs(dataclasses.replace(SHEET, tonnes=Tonnes(1842)))["lines_caption"]
        == "每一条线，是 10 吨；末一条 2 吨"
    )
    english = sheet_inputs(dataclasses.replace(SHEET, tonnes=Tonnes(4000), language="en"))
    assert english["lines_caption"] == "One line stands for 10 tonnes"
    assert english["quantity_in_words"] == "4,000 tonnes of carbon dioxide equivalent"


def test_every_value_reaches_the_template_as_text():
    assert all(isinstance(value, str) for value in sheet_inputs(SHEET).values())
