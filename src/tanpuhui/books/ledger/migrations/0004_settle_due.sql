-- The accounts that owe: few, so every posting may ask for them.
create index ledger_balance_that_owes on ledger_balance (account_id)
where clawback_due_grams > 0 or clawback_due_points > 0;

-- Take what is due (待追回) from what these accounts hold now, as one journal, and return its id; null where there is
-- nothing to take or the reference stands already. The balances are locked first, in order. The digest is that of every
-- journal: head, then entries by account and day.
create function ledger_settle_due_v1(
  p_reference text, p_at timestamptz, p_day date, p_system bigint, p_accounts bigint[]
) returns bigint language plpgsql set jit = off as $$
declare
  v_kind constant text := 'clawback_settlement';
  v_journal bigint;
  v_sum record;
begin
  perform 1 from ledger_balance b where b.account_id = any(p_accounts) order by b.account_id for update;
  with taken as (
    select b.account_id, least(b.grams, b.clawback_due_grams) as grams, least(b.points, b.clawback_due_points) as points
    from ledger_balance b where b.account_id = any(p_accounts)
  ), legs as (
    select t.account_id, -t.grams as grams, -t.points as points from taken t where t.grams > 0 or t.points > 0
  ), entries as (
    select l.account_id, l.grams, l.points from legs l
    union all select p_system, -sum(l.grams), -sum(l.points) from legs l having count(*) > 0
  )
  select count(*)::integer as n, coalesce(sum(greatest(e.grams, 0)), 0)::bigint as grams,
    coalesce(sum(greatest(e.points, 0)), 0)::bigint as points,
    sha256(ledger_digest_head(v_kind, p_reference) || string_agg(
      ledger_entry_bytes(e.account_id, p_day, e.grams::bigint, e.points::bigint, 0, 0), ''::bytea order by e.account_id
    )) as digest,
    array_agg(e.account_id order by e.account_id) as accounts, array_agg(e.grams::bigint order by e.account_id) as of_grams,
    array_agg(e.points::bigint order by e.account_id) as of_points
  into v_sum from entries e;
  if v_sum.n = 0 then
    return null;
  end if;
  insert into ledger_journal (kind, reference, at, entries, grams, points, fen, restores, digest)
  values (v_kind, p_reference, p_at, v_sum.n, v_sum.grams, v_sum.points, 0, false, v_sum.digest)
  on conflict (kind, reference) do nothing
  returning id into v_journal;
  if v_journal is null then
    return null;
  end if;
  insert into ledger_entry (account_id, day, journal_id, grams, points, fen, n_records)
  select e.account_id, p_day, v_journal, e.grams, e.points, 0, 0
  from unnest(v_sum.accounts, v_sum.of_grams, v_sum.of_points) as e (account_id, grams, points);
  insert into ledger_clawback (account_id, journal_id, grams, points)
  select e.account_id, v_journal, e.grams, e.points
  from unnest(v_sum.accounts, v_sum.of_grams, v_sum.of_points) as e (account_id, grams, points)
  where e.account_id <> p_system;
  update ledger_balance b set
    grams = b.grams + e.grams, points = b.points + e.points, version = b.version + 1,
    clawback_due_grams = b.clawback_due_grams + e.grams, clawback_due_points = b.clawback_due_points + e.points
  from unnest(v_sum.accounts, v_sum.of_grams, v_sum.of_points) as e (account_id, grams, points)
  where b.account_id = e.account_id;
  return v_journal;
end
$$;
