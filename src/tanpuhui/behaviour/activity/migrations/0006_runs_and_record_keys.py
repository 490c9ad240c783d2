"""Used allowances become runs of accounts, and record keys the first half of SHA-256 instead of MD5."""

import hashlib
from collections import defaultdict
from itertools import groupby

import pyarrow as pa
from django.db import migrations, models

BLOCK_ACCOUNTS = 4096


def rows_to_runs(apps, schema_editor):
    run = apps.get_model("activity", "AllowanceUse")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "select scenario, measure, period_start, account_id, used_micro from activity_account_day_use order by 1, 2, 3, 4"
        )
        for (scenario, measure, period), rows in groupby(cursor.fetchall(), key=lambda row: row[:3]):
            used = [(row[3], row[4]) for row in rows]
            for start in range(0, len(used), BLOCK_ACCOUNTS):
                block = used[start : start + BLOCK_ACCOUNTS]
                run.objects.create(
                    scenario=scenario,
                    measure=measure,
                    period_start=period,
                    run=1,
                    first_account=block[0][0],
                    last_account=block[-1][0],
                    n_accounts=len(block),
                    accounts=b"".join(account.to_bytes(8, "little", signed=True) for account, _ in block),
                    used_micro=b"".join(micro.to_bytes(8, "little", signed=True) for _, micro in block),
                )


def _table(payload):
    with pa.ipc.open_stream(pa.py_buffer(bytes(payload))) as reader:
        return reader.read_all()


def new_keys(apps, schema_editor):
    """Take the record ids from the traces, which no operation could erase before this migration."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("select distinct posting_id from activity_key_segment order by 1")
        postings = [row[0] for row in cursor.fetchall()]
        if not postings:
            return
        cursor.execute("alter table activity_key_segment disable trigger user")
        for posting_id in postings:
            keys = defaultdict(list)
            cursor.execute(
                "select amounts, traces from activity_record_chunk where posting_id = %s", [posting_id]
            )
            for amounts, traces in cursor.fetchall():
                days = _table(amounts).column("day").to_pylist()
                ids = _table(traces).column("record_id").to_pylist()
                for day, record_id in zip(days, ids, strict=True):
                    keys[day].append(hashlib.sha256(record_id.encode()).digest()[:16])
            for day, several in keys.items():
                cursor.execute(
                    "update activity_key_segment set keys = %s where posting_id = %s and day = %s",
                    [b"".join(sorted(several)), posting_id, day],
                )
        cursor.execute("alter table activity_key_segment enable trigger user")


class Migration(migrations.Migration):
    dependencies = [("activity", "0005_scenario_standing")]

    operations = [
        migrations.CreateModel(
            name="AllowanceUse",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "scenario",
                        "measure",
                        "period_start",
                        "run",
                        "first_account",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("scenario", models.TextField()),
                ("measure", models.TextField()),
                ("period_start", models.DateField()),
                ("run", models.IntegerField()),
                ("first_account", models.BigIntegerField()),
                ("last_account", models.BigIntegerField()),
                ("n_accounts", models.IntegerField()),
                ("accounts", models.BinaryField()),
                ("used_micro", models.BinaryField()),
            ],
            options={"db_table": "activity_allowance_use"},
        ),
        migrations.RunSQL(
            "alter table activity_allowance_use alter accounts set storage external, alter used_micro set storage external",
            "alter table activity_allowance_use alter accounts set storage extended, alter used_micro set storage extended",
        ),
        migrations.RunPython(rows_to_runs, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(new_keys, migrations.RunPython.noop, elidable=True),
        migrations.DeleteModel(name="AccountDayUse"),
    ]
