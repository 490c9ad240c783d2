"""What lists of cases stand on: the words and parties of each case, and the filters that people keep (检索、筛选)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from tanpuhui.foundation.workflow.models.cases import Case


class CaseSearch(models.Model):
    """By which words a case is found and by whom (检索): derived from the case, its organisations and their names.

    `organisations` are the applicant and the parties. It stands beside the case, so that a decision does not rewrite the
    index of words; `queries.breaches()` compares both.
    """

    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True, related_name="search")
    process = models.TextField()
    area = models.CharField(max_length=6)
    organisations = ArrayField(models.BigIntegerField())
    words = SearchVectorField()

    class Meta:
        indexes = [
            GinIndex(fields=["words"], name="case_search_words"),
            GinIndex(fields=["organisations"], name="case_search_organisations"),
            models.Index(fields=["area", "-case"], name="case_search_area"),
            models.Index(fields=["process", "-case"], name="case_search_process"),
        ]


class SavedFilter(models.Model):
    """A filter of the inbox or of the cases that a person keeps under a name (常用筛选)."""

    user = models.ForeignKey("identity.User", on_delete=models.PROTECT)
    page = models.TextField()
    name = models.TextField()
    criteria = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "page", "name"], name="saved_filter_once_per_name")
        ]
