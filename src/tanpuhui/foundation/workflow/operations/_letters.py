"""Give the letter of a decision its number (文号), gapless, by a pattern that is data."""

from __future__ import annotations

from django.db import connection

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import LETTER_NUMBER_PARAMETER, LETTER_NUMBER_PATTERN, letter_number
from tanpuhui.foundation.workflow.models import Decision, DecisionLetter


def number_letter(decision: Decision, *, kind: str) -> DecisionLetter:
    """Write the letter of a decision with the next number of its kind in the year of the decision."""
    year = business_day(decision.at).year
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into workflow_lettersequence (kind, year, last) values (%s, %s, 1) "
            "on conflict (kind, year) do update set last = workflow_lettersequence.last + 1 returning last",
            [kind, year],
        )
        seq = cursor.fetchone()[0]
    pattern = rulebook.parameter(key=LETTER_NUMBER_PARAMETER, at=decision.at, scope=kind).value
    number = letter_number(
        pattern or LETTER_NUMBER_PATTERN,
        prefix=rulebook.jurisdiction().serial_prefix,
        kind=kind,
        year=year,
        seq=seq,
    )
    return DecisionLetter.objects.create(decision=decision, kind=kind, number=number, at=decision.at)
