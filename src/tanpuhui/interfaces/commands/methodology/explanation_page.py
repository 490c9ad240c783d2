"""An explanation as a page of its own (独立网页): one file, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from html import escape

from tanpuhui.science.engine import Explanation, Step
from tanpuhui.science.engine.notation import number_text

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.25rem; margin: 0; } .grams { font-size: 2rem; margin: 1rem 0 0; }
.note { color: color-mix(in srgb, CanvasText 70%, Canvas); font-size: .875rem; margin: .25rem 0; overflow-wrap: anywhere; }
ol { padding-left: 1.25rem; } li { margin: 1rem 0; } .value { white-space: nowrap; font-weight: 600; }
code { font: inherit; overflow-wrap: anywhere; }
"""
WORDS = {
    "zh": {"row": "第 {row} 行", "not": "不计入", "kept": "余 {remainder} g", "confidence": "可信度 {confidence}", "is": "："},
    "en": {"row": "Row {row}", "not": "Does not count", "kept": "{remainder} g remain", "confidence": "confidence {confidence}", "is": ": "},
}  # fmt: skip


def page(explanation: Explanation, *, row: int) -> str:
    """Return the HTML page; every text of the file or of the author is escaped."""
    words = WORDS[explanation.locale]
    head = f"{words['row'].format(row=row)} · {explanation.title}"
    if explanation.grams is None:
        result = f'<p class="grams">{words["not"]}</p><p>{escape(explanation.reason_text)} [{escape(explanation.reason or "")}]</p>'
    else:
        kept = words["kept"].format(remainder=number_text(explanation.remainder_g or Decimal(0)))
        result = f'<p class="grams">{explanation.grams.value} g CO2e</p><p class="note">{kept}</p>'
    notes = [explanation.purpose_label, explanation.label, explanation.archive_sha256]
    told = "".join(f'<p class="note">{escape(note)}</p>' for note in notes if note)
    told_clauses: set[str] = set()
    steps = "".join(_step(step, words, told_clauses) for step in explanation.steps)
    language = "zh-CN" if explanation.locale == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(head)}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{escape(head)}</h1>{told}{result}<ol>{steps}</ol></body></html>"
    )


def _step(step: Step, words: Mapping[str, str], told_clauses: set[str]) -> str:
    """Return one step; the text of a clause stands at the first step that refers to it."""
    value = f'<span class="value">{escape(step.value_text)} {escape(step.unit)}</span>'
    formula = ""
    if step.formula:
        formula = f"<br><code>{escape(step.formula)}</code><br><code>= {escape(step.substituted)}</code>"
    confidence = words["confidence"].format(confidence=step.confidence) if step.confidence else ""
    evidence = " · ".join(text for text in (step.source, step.label, confidence) if text)
    clause = step.clause if step.clause not in step.source else ""
    if step.clause_text and step.clause_text not in told_clauses:
        told_clauses.add(step.clause_text)
        clause = f"{step.clause}{words['is']}{step.clause_text}"
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in (step.note, evidence, clause) if note)
    return f"<li>{escape(step.name)}{words['is']}{value}{formula}{notes}</li>"
