from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rulebook", "0003_notice_terms")]

    operations = [
        migrations.AddField(
            model_name="transition", name="independent", field=models.BooleanField(default=False)
        ),
        migrations.AddField(
            model_name="transition", name="document", field=models.TextField(blank=True, default="")
        ),
    ]
