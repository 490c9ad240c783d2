from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("activity", "0006_runs_and_record_keys")]

    operations = [
        migrations.RemoveConstraint(model_name="posting", name="activity_posting_once"),
        migrations.AddField(
            model_name="posting", name="slice_number", field=models.SmallIntegerField(default=0)
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.UniqueConstraint(
                fields=("batch", "slice_number", "scenario", "methodology_version_id", "evidence_tier", "month"),
                name="activity_posting_once",
            ),
        ),
    ]
