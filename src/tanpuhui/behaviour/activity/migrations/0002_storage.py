"""Payloads are compressed already, so the database keeps them out of line and does not try again."""

from __future__ import annotations

from django.db import migrations

FORWARD = """
alter table activity_record_chunk alter amounts set storage external, alter traces set storage external;
alter table activity_key_segment alter keys set storage external;
"""
BACKWARD = """
alter table activity_record_chunk alter amounts set storage extended, alter traces set storage extended;
alter table activity_key_segment alter keys set storage extended;
"""


class Migration(migrations.Migration):
    dependencies = [("activity", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
