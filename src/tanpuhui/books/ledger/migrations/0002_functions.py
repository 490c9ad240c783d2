from pathlib import Path

from django.db import migrations

REVERSE = """
drop function ledger_post_v1; drop function ledger_clip_legs_v1; drop function ledger_transfer_v1;
drop function ledger_digest_head; drop function ledger_entry_bytes;
"""


class Migration(migrations.Migration):
    """The ledger's functions in SQL, kept beside this file so that they can be read and diffed as SQL."""

    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"), REVERSE)]
