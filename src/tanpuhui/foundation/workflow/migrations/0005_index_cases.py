from django.db import migrations


def index_what_is_there(apps, schema_editor):
    """Make the cases that are there already findable, as `operations.index_cases` does for new ones."""
    from tanpuhui.foundation.kernel.words import search_document

    Case = apps.get_model("workflow", "Case")
    with schema_editor.connection.cursor() as cursor:
        for row in Case.objects.select_related("organisation").prefetch_related("parties__organisation").iterator(chunk_size=1000):
            found = {row.organisation} if row.organisation_id else set()
            found |= {party.organisation for party in row.parties.all()}
            names = [(name, "C") for one in found for name in (one.name, one.name_en)]
            cursor.execute(
                "insert into workflow_casesearch (case_id, process, area, organisations, words) values (%s, %s, %s, %s, %s::tsvector)",
                [row.pk, row.process, row.area, sorted(one.pk for one in found),
                 search_document([(row.number, "A"), (row.title, "B"), *names])],
            )


class Migration(migrations.Migration):

    dependencies = [
        ('workflow', '0004_lists'),
    ]

    operations = [
        migrations.RunPython(index_what_is_there, migrations.RunPython.noop),
    ]
