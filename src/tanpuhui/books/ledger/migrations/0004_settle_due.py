from pathlib import Path

from django.db import migrations

REVERSE = "drop function ledger_settle_due_v1; drop index ledger_balance_that_owes"


class Migration(migrations.Migration):
    """Let later credits pay off what is due, kept beside this file so that it can be read and diffed as SQL."""

    dependencies = [("ledger", "0003_transfer")]
    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"), REVERSE)]
