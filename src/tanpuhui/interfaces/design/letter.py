"""Decision letters as PDF (决定书排版), set by typst like the certificates: the same sheet gives the same bytes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import typst

from tanpuhui.interfaces.design.typeset import RECORD_SEPARATOR, TypesettingFailed, fonts_folder, qr_svg

TEMPLATE = Path(__file__).parent / "typst" / "letter.typ"


@dataclass(frozen=True, slots=True)
class LetterSheet:
    """What stands on a decision letter, as it is to be read.

    `facts` are pairs of label and value; `opinion` is the reason in full; `signatures` say who signed as which account and
    when; `seal` says which seal it carries, or that it carries none; `revocation` is one line in brick, empty while the
    decision stands.
    """

    number: str
    title: str
    addressee: str
    decision: str
    opinion: str
    facts: tuple[tuple[str, str], ...]
    signatures: tuple[str, ...]
    seal: str
    digest: str
    verify_url: str
    issuer: str
    issued_on: dt.date
    revocation: str = ""


def render_letter(sheet: LetterSheet) -> bytes:
    """Set a decision letter on A4 and return the PDF. Raises FontsMissing, TypesettingFailed."""
    inputs = {
        "number": sheet.number,
        "title": sheet.title,
        "addressee": sheet.addressee,
        "decision": sheet.decision,
        "opinion": sheet.opinion,
        "fact_labels": RECORD_SEPARATOR.join(label for label, _ in sheet.facts),
        "fact_values": RECORD_SEPARATOR.join(value for _, value in sheet.facts),
        "signatures": RECORD_SEPARATOR.join(sheet.signatures),
        "seal": sheet.seal,
        "digest": sheet.digest,
        "verify_url": sheet.verify_url,
        "qr": qr_svg(sheet.verify_url),
        "issuer": sheet.issuer,
        "issued_on": sheet.issued_on.isoformat(),
        "revocation": sheet.revocation,
    }
    try:
        compiler = typst.Compiler(
            input=TEMPLATE,
            root=TEMPLATE.parent,
            font_paths=[fonts_folder()],
            ignore_system_fonts=True,
            sys_inputs=inputs,
        )
        midnight = dt.datetime.combine(sheet.issued_on, dt.time(), tzinfo=dt.UTC)
        pdf = compiler.compile(format="pdf", timestamp=midnight)
    except typst.TypstError as error:
        raise TypesettingFailed(why=str(error).splitlines()[0], number=sheet.number) from error
    if not isinstance(pdf, bytes):
        raise TypesettingFailed(why="no single document", number=sheet.number)
    return pdf
