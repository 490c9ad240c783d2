"""By which words a case is found (检索), kept in step with the case by the operations that change them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from tanpuhui.foundation.identity.queries import organisation_names
from tanpuhui.foundation.kernel.words import search_document
from tanpuhui.foundation.workflow.models import Case, CaseParty

NUMBER, TITLE, NAMES = "A", "B", "C"
"""How heavy a word is: in the number, in the title, in the name of an organisation."""


def index_cases(case_ids: Iterable[int]) -> int:
    """Write anew by which words, in which area and for which organisations cases are found; return how many.

    Searched are number, title, and the names of applicant and parties in both languages. Opinions are not: nearly all
    of them say the same, and what is said about a case stands on its page.
    """
    rows = list(Case.objects.filter(pk__in=list(case_ids)))
    parties: dict[int, list[int]] = {row.pk: [] for row in rows}
    for case_id, organisation_id in CaseParty.objects.filter(case__in=rows).values_list(
        "case_id", "organisation_id"
    ):
        parties[case_id].append(organisation_id)
    of_case = {
        row.pk: sorted({*parties[row.pk], *([row.organisation_id] if row.organisation_id else [])})
        for row in rows
    }
    names = organisation_names({organisation for found in of_case.values() for organisation in found})
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into workflow_casesearch (case_id, process, area, organisations, words)"
            " values (%s, %s, %s, %s, %s::tsvector) on conflict (case_id) do update"
            " set process = excluded.process, area = excluded.area, organisations = excluded.organisations,"
            " words = excluded.words",
            [
                (
                    row.pk,
                    row.process,
                    row.area,
                    of_case[row.pk],
                    search_document(
                        [
                            (row.number, NUMBER),
                            (row.title, TITLE),
                            *((name, NAMES) for id_ in of_case[row.pk] for name in names.get(id_, ())),
                        ]
                    ),
                )
                for row in rows
            ],
        )
    return len(rows)
