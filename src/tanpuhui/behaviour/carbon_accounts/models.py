"""Personal carbon accounts and the pools made of them (个人碳账户、归集)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.foundation.keys.fields import EncryptedTextField
from tanpuhui.foundation.persistence.conditions import holds
from tanpuhui.foundation.persistence.fields import GramsField, PointsField, TonnesField
from tanpuhui.foundation.persistence.triggers import append_only


class CarbonAccount(models.Model):
    """A person's carbon account (个人碳账户): one per person, however many partners know them."""

    number = models.TextField(unique=True)
    user = models.OneToOneField("identity.User", on_delete=models.PROTECT)
    ledger_account_id = models.BigIntegerField(unique=True)
    area = models.CharField(max_length=6)
    opened_at = models.DateTimeField()

    class Meta:
        db_table = "carbon_account"
        indexes = [models.Index(fields=["area"], name="carbon_account_by_area")]
        triggers = append_only()


class Pool(models.Model):
    """The reductions of a scenario up to a month, counted once and floored to whole tonnes (归集).

    `carried_in` is the remainder of the pool before, `remainder` what the next one takes over; both are in grams and
    can be negative. `purpose` is that of the methodology versions: operation, demonstration or test.
    """

    scenario = models.TextField()
    month = models.CharField(max_length=7)
    first_day = models.DateField()
    last_day = models.DateField()
    previous = models.OneToOneField("self", on_delete=models.PROTECT, null=True)
    postings = models.IntegerField()
    grams = GramsField()
    carried_in = GramsField()
    tonnes = TonnesField()
    remainder = GramsField()
    root = models.CharField(max_length=64)
    methodologies = models.JSONField()
    purpose = models.TextField()
    settle_days = models.IntegerField(null=True)
    decided_because = models.TextField(default="")
    pooled_at = models.DateTimeField()
    leaf_id = models.BigIntegerField()

    class Meta:
        db_table = "carbon_pool"
        constraints = [
            models.UniqueConstraint(fields=["scenario", "month"], name="carbon_pool_once"),
            models.UniqueConstraint(
                fields=["scenario"], condition=models.Q(previous__isnull=True), name="carbon_pool_one_first"
            ),
            models.CheckConstraint(
                condition=holds("tonnes * 1000000 + remainder = grams + carried_in"),
                name="carbon_pool_adds_up",
            ),
            models.CheckConstraint(
                condition=holds("tonnes >= 0 and remainder < 1000000 and (remainder >= 0 or tonnes = 0)"),
                name="carbon_pool_whole_tonnes",
            ),
            models.CheckConstraint(
                condition=holds("settle_days is not null or decided_because <> ''"),
                name="carbon_pool_has_reason",
            ),
        ]
        triggers = append_only()


class PoolContributions(models.Model):
    """The tree over what each person put into a pool (归集份额树). The pool's leaf in the public log names its root.

    Salts of the leaves are derived from the sealed secret, so that nobody learns a neighbour's grams by trying them.
    """

    pool = models.OneToOneField(
        Pool, on_delete=models.PROTECT, primary_key=True, related_name="contributions"
    )
    people = models.BigIntegerField()
    grams = GramsField()
    root = models.BinaryField(max_length=32)
    secret = EncryptedTextField(context="carbon_accounts.pool_secret")

    class Meta:
        db_table = "carbon_pool_contributions"
        triggers = append_only()


class PoolPart(models.Model):
    """Consecutive leaves of a pool's tree by account (份额树分段); the leaves themselves are made again from the ledger."""

    pk = models.CompositePrimaryKey("pool_id", "number")
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="parts")
    number = models.IntegerField()
    first_account_id = models.BigIntegerField()
    last_account_id = models.BigIntegerField()
    people = models.IntegerField()
    grams = GramsField()
    root = models.BinaryField(max_length=32)

    class Meta:
        db_table = "carbon_pool_part"
        triggers = append_only()


class PoolPosting(models.Model):
    """One posting of intake in a pool; the unique key lets each be pooled once."""

    posting_id = models.BigIntegerField(primary_key=True)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="members")
    grams = GramsField()
    posting_hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "carbon_pool_posting"
        triggers = append_only()


class PoolException(models.Model):
    """What exceptions of records changed in a month's certifiable postings, counted in one pool (记录例外差额)."""

    pk = models.CompositePrimaryKey("exception_run_id", "month")
    exception_run_id = models.BigIntegerField()
    month = models.CharField(max_length=7)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="exceptions")
    grams = GramsField()
    records_sha256 = models.BinaryField(max_length=32)

    class Meta:
        db_table = "carbon_pool_exception"
        triggers = append_only()


class PoolAdjustment(models.Model):
    """What a recalculation changed in a month's certifiable postings, counted in one pool (重算差额).

    A loss of grams that were pooled before makes this pool smaller; nothing pooled or issued is cut again.
    """

    pk = models.CompositePrimaryKey("recalculation_id", "month")
    recalculation_id = models.BigIntegerField()
    month = models.CharField(max_length=7)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="adjustments")
    grams = GramsField()
    results_sha256 = models.BinaryField(max_length=32)

    class Meta:
        db_table = "carbon_pool_adjustment"
        triggers = append_only()


class FreezeChange(models.Model):
    """A proposal to freeze or release an account (拟冻结、拟解冻), from its case to the checker's decision."""

    account = models.ForeignKey(CarbonAccount, on_delete=models.PROTECT, related_name="freeze_changes")
    kind = models.TextField()
    reason = models.TextField()
    urgent = models.BooleanField()
    state = models.TextField()
    case_id = models.BigIntegerField(null=True)
    proposed_at = models.DateTimeField()

    class Meta:
        db_table = "carbon_freeze_change"
        constraints = [
            models.CheckConstraint(
                condition=holds("kind in ('freeze', 'release')"), name="carbon_freeze_change_kind"
            ),
            models.CheckConstraint(
                condition=holds("state in ('proposed', 'done', 'rejected', 'withdrawn')"),
                name="carbon_freeze_change_state",
            ),
            models.CheckConstraint(
                condition=holds("kind = 'freeze' or not urgent"), name="carbon_freeze_change_urgent"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(state="proposed"), name="carbon_freeze_change_one_open"
            ),
        ]


class AccountFreeze(models.Model):
    """An account was frozen (冻结) or released (解冻); the latest row of an account holds. `until` ends an urgent freeze."""

    account = models.ForeignKey(CarbonAccount, on_delete=models.PROTECT, related_name="freezes")
    change = models.ForeignKey(FreezeChange, on_delete=models.PROTECT, related_name="acts")
    frozen = models.BooleanField()
    until = models.DateTimeField(null=True)
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "carbon_account_freeze"
        constraints = [
            models.CheckConstraint(
                condition=holds("frozen or until is null"), name="carbon_account_freeze_until"
            ),
        ]
        triggers = append_only()


class ProgrammeAdmission(models.Model):
    """A file of accounts of an existing programme (存量账户迁入), from its arrival to the end of the time to accept.

    `rate` is how many of our points one of theirs is worth, as a fraction; `points` what all good rows come to at it,
    `budget` what the payer set aside. `claim_until` is null where no rule limits the time.
    """

    programme = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    area = models.CharField(max_length=6)
    as_of = models.DateField()
    file_sha256 = models.CharField(max_length=64)
    file_name = models.TextField()
    media_type = models.TextField()
    size_bytes = models.BigIntegerField()
    rows = models.IntegerField()
    accepted = models.IntegerField()
    state = models.TextField()
    case_id = models.BigIntegerField(null=True)
    rate = models.TextField(default="")
    rate_source = models.TextField(default="")
    payer = models.TextField(default="")
    budget = PointsField(null=True)
    points = PointsField(null=True)
    received_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    claim_until = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)
    leaf_id = models.BigIntegerField()

    class Meta:
        db_table = "carbon_programme_admission"
        constraints = [
            models.UniqueConstraint(fields=["programme", "file_sha256"], name="carbon_admission_file_once"),
            models.CheckConstraint(
                condition=holds(
                    "state in ('received', 'proposed', 'open', 'rejected', 'withdrawn', 'ended')"
                ),
                name="carbon_admission_state",
            ),
            models.CheckConstraint(
                condition=holds(
                    "state not in ('open', 'ended') or (points is not null and budget >= points and rate <> ''"
                    " and rate_source <> '' and payer <> '')"
                ),
                name="carbon_admission_has_terms",
            ),
        ]


class AdmittedBalance(models.Model):
    """One row of a programme's file: its verdict, and a balance that waits for its person (待迁入余额).

    Phone and member stand here as blind indexes only, each once for a programme. Who declines, or lets the time pass,
    leaves counts and points and nothing else; so does who accepted and closes the account later. `shown_grams` is history to read, of another type than what is counted.
    """

    pk = models.CompositePrimaryKey("admission_id", "number")
    admission = models.ForeignKey(ProgrammeAdmission, on_delete=models.PROTECT, related_name="balances")
    number = models.IntegerField()
    programme_id = models.BigIntegerField()
    verdict = models.TextField()
    state = models.TextField()
    member_index = models.BinaryField(max_length=32, null=True)
    phone_index = models.BinaryField(max_length=32, null=True)
    area = models.CharField(max_length=6, null=True)
    member_since = models.DateField(null=True)
    shown_grams = models.BigIntegerField(null=True)
    hundredths = models.BigIntegerField()
    points = models.BigIntegerField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "carbon_admitted_balance"
        constraints = [
            models.UniqueConstraint(
                fields=["programme_id", "phone_index"], name="carbon_admitted_phone_once"
            ),
            models.UniqueConstraint(
                fields=["programme_id", "member_index"], name="carbon_admitted_member_once"
            ),
            models.CheckConstraint(
                condition=holds(
                    "(state not in ('received', 'waiting') or phone_index is not null)"
                    " and (state in ('received', 'waiting', 'claimed') or phone_index is null)"
                    " and (phone_index is null) = (member_index is null)"
                    " and (phone_index is not null or (area is null and member_since is null and shown_grams is null))"
                ),
                name="carbon_admitted_nothing_left",
            ),
            models.CheckConstraint(
                condition=holds("(state = 'refused') = (verdict <> '')"), name="carbon_admitted_verdict"
            ),
            models.CheckConstraint(
                condition=holds(
                    "state in ('received', 'waiting', 'claimed', 'refused', 'declined', 'lapsed', 'dropped')"
                    " and hundredths >= 0 and (state not in ('waiting', 'claimed') or points is not null)"
                ),
                name="carbon_admitted_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["phone_index"],
                name="carbon_admitted_waiting",
                condition=models.Q(state="waiting"),
            )
        ]
        triggers = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            # Once a statement, because a file is admitted in one: a function a row takes ten times as long as the update.
            pgtrigger.Trigger(
                name="one_way",
                operation=pgtrigger.Update,
                when=pgtrigger.After,
                level=pgtrigger.Statement,
                referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),
                func=(
                    "IF (SELECT count(*) FROM new_rows) <> (SELECT count(*) FROM new_rows n JOIN old_rows o"
                    " USING (admission_id, number) WHERE ((o.state, n.state) IN (('received', 'waiting'),"
                    " ('received', 'dropped'), ('waiting', 'claimed'), ('waiting', 'declined'), ('waiting', 'lapsed'))"
                    " OR (o.state = 'claimed' AND n.state = 'claimed' AND n.phone_index IS NULL))"
                    " AND (n.verdict, n.hundredths, n.programme_id) = (o.verdict, o.hundredths, o.programme_id)"
                    " AND (o.points IS NULL OR n.points = o.points))"
                    " THEN RAISE EXCEPTION 'a row of % goes one way and keeps its amount', TG_TABLE_NAME; END IF; RETURN NULL;"
                ),
            ),
        ]


class AdmissionClaim(models.Model):
    """A person accepted their balance (确认迁入), to the text of a version; the journal credited the points, none where they are 0."""

    pk = models.CompositePrimaryKey("admission_id", "number")
    admission = models.ForeignKey(ProgrammeAdmission, on_delete=models.PROTECT, related_name="claims")
    number = models.IntegerField()
    user = models.ForeignKey("identity.User", on_delete=models.PROTECT)
    points = PointsField()
    journal_id = models.BigIntegerField(null=True)
    text_version = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "carbon_admission_claim"
        constraints = [
            models.UniqueConstraint(fields=["admission", "user"], name="carbon_admission_claim_once")
        ]
        triggers = append_only()


class RecordAppeal(models.Model):
    """A person's appeal that a record of theirs should count (记录申诉), from its case to the checker's decision.

    The record was set aside by a settlement (`set_aside_id`), or was taken back after it was posted (`posting_id`, by the
    exception run `against_run`). What the person says stands on the case.
    """

    account = models.ForeignKey(CarbonAccount, on_delete=models.PROTECT, related_name="record_appeals")
    scenario = models.TextField()
    day = models.DateField()
    row_number = models.BigIntegerField()
    set_aside_id = models.BigIntegerField(null=True)
    posting_id = models.BigIntegerField(null=True)
    against_run = models.BigIntegerField(default=0)
    reason = models.TextField()
    state = models.TextField()
    case_id = models.BigIntegerField(null=True)
    lodged_at = models.DateTimeField()

    class Meta:
        db_table = "carbon_record_appeal"
        constraints = [
            models.CheckConstraint(
                condition=holds("state in ('lodged', 'upheld', 'dismissed', 'withdrawn')"),
                name="carbon_record_appeal_state",
            ),
            models.CheckConstraint(
                condition=holds("(set_aside_id is null) <> (posting_id is null)"),
                name="carbon_record_appeal_of_one",
            ),
            models.UniqueConstraint(
                fields=["set_aside_id", "row_number"],
                condition=~models.Q(state="withdrawn") & models.Q(posting_id__isnull=True),
                name="carbon_record_appeal_set_aside_once",
            ),
            models.UniqueConstraint(
                fields=["posting_id", "row_number", "against_run"],
                condition=~models.Q(state="withdrawn") & models.Q(set_aside_id__isnull=True),
                name="carbon_record_appeal_taken_back_once",
            ),
        ]
        indexes = [models.Index(fields=["case_id"], name="carbon_record_appeal_by_case")]


class RecordDisowning(models.Model):
    """A person's statement that a record which counts on their account is not theirs (否认记录), from its case to the decision."""

    account = models.ForeignKey(CarbonAccount, on_delete=models.PROTECT, related_name="record_disownings")
    scenario = models.TextField()
    day = models.DateField()
    posting_id = models.BigIntegerField()
    row_number = models.BigIntegerField()
    state = models.TextField()
    case_id = models.BigIntegerField(null=True)
    lodged_at = models.DateTimeField()

    class Meta:
        db_table = "carbon_record_disowning"
        constraints = [
            models.CheckConstraint(
                condition=holds("state in ('lodged', 'upheld', 'dismissed', 'withdrawn')"),
                name="carbon_record_disowning_state",
            ),
            models.UniqueConstraint(
                fields=["posting_id", "row_number"],
                condition=~models.Q(state="withdrawn"),
                name="carbon_record_disowning_once",
            ),
        ]
        indexes = [models.Index(fields=["case_id"], name="carbon_record_disown_by_case")]
