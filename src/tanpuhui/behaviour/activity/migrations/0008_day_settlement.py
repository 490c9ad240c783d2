"""Rows wait for their day's settlement, and what it does not count is kept with its reason."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import tanpuhui.foundation.persistence.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('activity', '0007_posting_slice'),
    ]

    operations = [
        migrations.CreateModel(
            name='DaySettlement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('settled_at', models.DateTimeField()),
                ('rows', models.IntegerField()),
                ('counted', models.IntegerField()),
                ('reasons', models.JSONField()),
                ('grams', tanpuhui.foundation.persistence.fields.GramsField()),
                ('points', tanpuhui.foundation.persistence.fields.PointsField()),
            ],
            options={
                'db_table': 'activity_day_settlement',
            },
        ),
        migrations.CreateModel(
            name='SetAside',
            fields=[
                ('pk', models.CompositePrimaryKey('waiting_id', 'bucket', blank=True, editable=False, primary_key=True, serialize=False)),
                ('waiting_id', models.BigIntegerField()),
                ('bucket', models.SmallIntegerField()),
                ('n_records', models.IntegerField()),
                ('rows', models.BinaryField()),
                ('rows_sha256', models.BinaryField(max_length=32)),
            ],
            options={
                'db_table': 'activity_set_aside',
            },
        ),
        migrations.CreateModel(
            name='WaitingChunk',
            fields=[
                ('pk', models.CompositePrimaryKey('waiting_id', 'bucket', blank=True, editable=False, primary_key=True, serialize=False)),
                ('waiting_id', models.BigIntegerField()),
                ('bucket', models.SmallIntegerField()),
                ('n_records', models.IntegerField()),
                ('rows', models.BinaryField()),
                ('rows_sha256', models.BinaryField(max_length=32)),
            ],
            options={
                'db_table': 'activity_waiting_chunk',
            },
        ),
        migrations.CreateModel(
            name='WaitingRows',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slice_number', models.SmallIntegerField()),
                ('scenario', models.TextField()),
                ('evidence_tier', models.SmallIntegerField()),
                ('day', models.DateField()),
                ('settles_on', models.DateField()),
                ('n_records', models.IntegerField()),
                ('chunks', models.SmallIntegerField()),
            ],
            options={
                'db_table': 'activity_waiting',
            },
        ),
        migrations.AddField(
            model_name='keysegment',
            name='waiting_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='keysegment',
            name='posting_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name='keysegment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('posting_id__isnull', True), ('waiting_id__isnull', False)), models.Q(('posting_id__isnull', False), ('waiting_id__isnull', True)), _connector='OR'), name='activity_key_has_one_owner'),
        ),
        migrations.AddIndex(
            model_name='daysettlement',
            index=models.Index(fields=['day', 'id'], name='activity_settlement_by_day'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='daysettlement',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6ab36ac669c14c8528965e41e33482fbc9a25bd6', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_cf200', table='activity_day_settlement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='daysettlement',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate append-only table %', TG_TABLE_NAME;", hash='6b0b8fec2a396312ce37455852dcdc58254c1b9c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_0d74c', table='activity_day_settlement', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='posting',
            name='day_settlement',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='activity.daysettlement'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='setaside',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='ecf8e88114704af1be02f06356993b1bff300149', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_1a91b', table='activity_set_aside', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='setaside',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate append-only table %', TG_TABLE_NAME;", hash='0a594b60872f7e0557bcdcb66f86812bcba5c68a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_a29f2', table='activity_set_aside', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='waitingchunk',
            trigger=pgtrigger.compiler.Trigger(name='no_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='99951276d29698e9c5b0596e86a0d1f884532aca', operation='UPDATE', pgid='pgtrigger_no_update_6b594', table='activity_waiting_chunk', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='waitingrows',
            name='batch',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='activity.batch'),
        ),
        migrations.AddField(
            model_name='waitingrows',
            name='day_settlement',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='activity.daysettlement'),
        ),
        migrations.AddIndex(
            model_name='waitingrows',
            index=models.Index(condition=models.Q(('day_settlement__isnull', True)), fields=['settles_on', 'day'], name='activity_waiting_due'),
        ),
        migrations.AddConstraint(
            model_name='waitingrows',
            constraint=models.UniqueConstraint(fields=('batch', 'slice_number', 'scenario', 'evidence_tier', 'day'), name='activity_waiting_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='waitingrows',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='0def4f8fc3d1fae2c3936d8d157be2416813ba89', operation='DELETE', pgid='pgtrigger_no_delete_d3e5f', table='activity_waiting', when='BEFORE')),
        ),
        migrations.RunSQL(
            "alter table activity_waiting_chunk alter rows set storage external; "
            "alter table activity_set_aside alter rows set storage external",
            migrations.RunSQL.noop,
        ),
    ]
