from pathlib import Path

from django.db import migrations

REVERSE = "drop function ledger_transfer_v2; drop function ledger_without_balance_v2"


class Migration(migrations.Migration):
    """A quicker transfer, kept beside this file so that it can be read and diffed as SQL."""

    dependencies = [("ledger", "0002_functions")]
    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"), REVERSE)]
