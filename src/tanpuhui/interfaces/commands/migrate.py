"""`tanpuhui migrate`: 建表并授权 / bring the tables up to date and grant the app role what it may do, no more."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from tanpuhui.foundation.persistence.triggers import Erasable

APP_ROLE = "tanpuhui_app"
"""The role of web and worker; migrations run as the owner. A server without this role is left as it is."""


def append_only_tables() -> frozenset[str]:
    """Return the tables whose triggers let them only grow; the app role may insert and select there."""
    return frozenset(
        model._meta.db_table  # noqa: SLF001  Django documents _meta as public
        for model in apps.get_models()
        if "append_only" in {trigger.name for trigger in getattr(model._meta, "triggers", [])}  # noqa: SLF001
    )


def erasable_columns() -> dict[str, str]:
    """Return, of tables that only grow, the one column that a logged erasure may replace."""
    return {
        model._meta.db_table: trigger.erasable_column  # noqa: SLF001  Django documents _meta as public
        for model in apps.get_models()
        for trigger in getattr(model._meta, "triggers", [])  # noqa: SLF001
        if isinstance(trigger, Erasable)
    }


def grant() -> bool:
    """Grant the app role its rights on every table, sequence and function; return False where there is no such role."""
    grows = append_only_tables()
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_roles where rolname = %s", [APP_ROLE])
        if cursor.fetchone() is None:
            return False
        role = sql.Identifier(APP_ROLE)
        cursor.execute(sql.SQL("revoke all on all tables in schema public from {}").format(role))
        # Postings hand their rows to SQL in temporary tables.
        database = sql.Identifier(str(connection.settings_dict["NAME"]))
        cursor.execute(sql.SQL("grant connect, temporary on database {} to {}").format(database, role))
        cursor.execute(sql.SQL("grant usage on schema public to {}").format(role))
        cursor.execute(sql.SQL("grant usage, select on all sequences in schema public to {}").format(role))
        cursor.execute("select tablename from pg_tables where schemaname = 'public' order by tablename")
        for (table,) in cursor.fetchall():
            rights = "select, insert" if table in grows else "select, insert, update, delete"
            cursor.execute(sql.SQL("grant " + rights + " on {} to {}").format(sql.Identifier(table), role))
        for table, column in erasable_columns().items():
            cursor.execute(
                sql.SQL("grant update ({}) on {} to {}").format(
                    sql.Identifier(column), sql.Identifier(table), role
                )
            )
    return True


def main(arguments: Sequence[str]) -> int:
    """Migrate (further arguments go to Django's migrate) and grant; return 0."""
    call_command("migrate", "--noinput", "--verbosity", "0", *arguments)
    granted = grant()
    print(
        "数据库已就绪 / database ready"
        if granted
        else f"数据库已就绪；没有 {APP_ROLE} 角色，未授权 / ready, no app role"
    )
    return 0
