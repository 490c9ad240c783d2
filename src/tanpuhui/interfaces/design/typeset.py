"""Certificates as PDF (证书排版), set by typst with the fonts of the package and no others.

The same sheet gives the same bytes: fonts are fixed, the system's are ignored, and the dates in the file are the sheet's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import typst
from django.conf import settings
from django.utils.translation import gettext, override

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.interfaces.design import drawing, figures

TEMPLATE = Path(__file__).parent / "typst" / "certificate.typ"
REQUIRED_FONTS = ("NotoSerifSC_400Regular.ttf", "NotoSerifSC_700Bold.ttf", "NotoSansSC_400Regular.ttf")
RECORD_SEPARATOR = "\x1e"
LANGUAGES = {"zh": "zh-hans", "en": "en"}


class FontsMissing(Refusal):
    """The fonts of certificates are not where the settings say."""

    code = "CERTIFICATE_FONTS_MISSING"
    zh = "证书没有生成：{folder} 里缺少字体 {missing}。请运行 make setup 取得字体，再试一次。"
    en = "The certificate was not made: {folder} lacks the fonts {missing}. Run make setup to get them, then try again."
    retryable = True


class TypesettingFailed(Refusal):
    """The typesetter could not set the sheet."""

    code = "CERTIFICATE_NOT_SET"
    zh = "证书没有生成：排版出错（{why}）。登记簿中的记录不受影响，请把证书编号 {number} 告诉管理员。"
    en = "The certificate was not made: typesetting failed ({why}). The registry is untouched; report number {number}."


@dataclass(frozen=True, slots=True)
class CertificateSheet:
    """What stands on a certificate. Text as it is to be read; the quantity is typed.

    `title` is one or two lines. `facts` are at most eight pairs of label and value. `log_lines` are digest and log
    position, in lines of about forty characters. `revocation` sets one line in brick and is empty for a valid certificate.
    """

    number: str
    title: tuple[str, ...]
    tonnes: Tonnes
    statement: str
    facts: tuple[tuple[str, str], ...]
    issuer: str
    signature: str
    log_lines: tuple[str, ...]
    verify_url: str
    issued_on: dt.date
    subtitle: str = ""
    revocation: str = ""
    language: str = "zh"


def render_certificate(data: CertificateSheet) -> bytes:
    """Set a certificate on A4 and return the PDF; the same sheet gives the same bytes.

    Raises FontsMissing when TANPUHUI_FONTS_DIR lacks a font, TypesettingFailed when typst refuses the sheet, and
    ValueError below one tonne.
    """
    fonts = fonts_folder()
    inputs = sheet_inputs(data)
    midnight = dt.datetime.combine(data.issued_on, dt.time(), tzinfo=dt.UTC)
    try:
        compiler = typst.Compiler(
            input=TEMPLATE,
            root=TEMPLATE.parent,
            font_paths=[fonts],
            ignore_system_fonts=True,
            sys_inputs=inputs,
        )
        pdf = compiler.compile(format="pdf", timestamp=midnight)
    except typst.TypstError as error:
        raise TypesettingFailed(why=str(error).splitlines()[0], number=data.number) from error
    if not isinstance(pdf, bytes):
        raise TypesettingFailed(why="no single document", number=data.number)
    return pdf


def fonts_folder() -> Path:
    """Return the folder of the certificate fonts; raise FontsMissing with what is not there."""
    folder = Path(str(getattr(settings, "TANPUHUI_FONTS_DIR", "") or "build/vendor/fonts"))
    missing = [name for name in REQUIRED_FONTS if not (folder / name).is_file()]
    if missing:
        raise FontsMissing(folder=folder.name, missing=", ".join(missing))
    return folder


def sheet_inputs(data: CertificateSheet) -> dict[str, str]:
    """Return the sheet as the text values of the template, in the language of the sheet."""
    lines = drawing.counted_lines(data.tonnes.value)
    quantity = f"{data.tonnes.value:,}"
    with override(LANGUAGES.get(data.language, "zh-hans")):
        return {
            "language": data.language,
            "brand": gettext("碳普惠"),
            "number_label": gettext("证书编号"),
            "number": data.number,
            "title": "\n".join(data.title),
            "subtitle": data.subtitle,
            "quantity": quantity,
            "hero_size": str(112 if len(quantity) <= 4 else 84 if len(quantity) <= 6 else 60),
            "quantity_in_words": quantity_in_words(data.tonnes),
            "lines": lines_svg(lines),
            "lines_caption": lines_caption(lines),
            "statement": data.statement,
            "fact_labels": RECORD_SEPARATOR.join(label for label, _ in data.facts),
            "fact_values": RECORD_SEPARATOR.join(value for _, value in data.facts),
            "issuer": data.issuer,
            "signature": data.signature,
            "log_lines": RECORD_SEPARATOR.join(data.log_lines),
            "verify_url": data.verify_url,
            "qr": qr_svg(data.verify_url),
            "qr_caption": gettext("扫码查验"),
            "issued_on": data.issued_on.isoformat(),
            "revocation": data.revocation,
        }


def quantity_in_words(tonnes: Tonnes) -> str:
    """Write the quantity in words, as on a cheque: 一百八十六吨二氧化碳当量."""
    if figures.in_english():
        return (
            f"{tonnes} tonnes of carbon dioxide equivalent"
            if tonnes.value != 1
            else "1 tonne of carbon dioxide equivalent"
        )
    return f"{figures.chinese_numeral(tonnes.value)}吨二氧化碳当量"


def lines_caption(lines: drawing.CountedLines) -> str:
    """Say what a line of the drop stands for, and the last line where it stands for less."""
    if lines.tonnes_per_line == 1:
        return gettext("每一条线，是一吨")
    if lines.last_line == lines.tonnes_per_line:
        return gettext("每一条线，是 %(tonnes)s 吨") % {"tonnes": f"{lines.tonnes_per_line:,}"}
    return gettext("每一条线，是 %(tonnes)s 吨；末一条 %(rest)s 吨") % {
        "tonnes": f"{lines.tonnes_per_line:,}",
        "rest": f"{lines.last_line:,}",
    }


def lines_svg(lines: drawing.CountedLines) -> str:
    """Draw the counted lines: pine above the river, sea below it. They are filled bars, which viewers do not thicken."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {lines.width:.2f} {lines.height:.2f}">'
        f'<path fill="#0F5A4B" d="{lines.pine}"/><path fill="#1B5F80" d="{lines.sea}"/></svg>'
    )


def qr_svg(content: str) -> str:
    """Draw the QR code of the verification address."""
    path, size = drawing.qr_path(content)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#14211F" d="{path}"/></svg>'
    )
