-- The functions of the ledger: accounts, amounts, non-negativity, lock order, idempotency. No rule of the scheme.
-- Errors: TL001 not enough, TL002 reference used for another booking, TL003 unknown account, TL004 not a booking.

-- Half-empty pages, so that an updated balance stays on its page and its index is not touched: a third less time.
alter table ledger_balance set (fillfactor = 50);

-- What one entry contributes to the digest of its journal; the same bytes are built in operations/_digest.py.
create function ledger_entry_bytes(
  p_account bigint, p_day date, p_grams bigint, p_points bigint, p_fen bigint, p_records integer
) returns bytea language sql immutable as $$
  select int8send(p_account) || int4send(p_day - date '2000-01-01')
      || int8send(p_grams) || int8send(p_points) || int8send(p_fen) || int4send(p_records)
$$;

create function ledger_digest_head(p_kind text, p_reference text) returns bytea language sql immutable as $$
  select convert_to(p_kind, 'UTF8') || '\x00'::bytea || convert_to(p_reference, 'UTF8') || '\x00'::bytea
$$;

-- Move amounts from one account (debit, 借) to another (credit, 贷). Autocommit or part of a transaction.
create function ledger_transfer_v1(
  p_kind text, p_reference text, p_at timestamptz, p_day date, p_debit bigint, p_credit bigint,
  p_grams bigint, p_points bigint, p_fen bigint, p_restores boolean
) returns bigint language plpgsql as $$
declare
  v_journal bigint;
  v_digest bytea;
  v_earlier bytea;
  v_account bigint;
  v_have ledger_balance;
begin
  if p_debit = p_credit or p_grams < 0 or p_points < 0 or p_fen < 0 or p_grams + p_points + p_fen = 0 then
    raise exception 'a transfer moves a positive amount between two accounts' using errcode = 'TL004';
  end if;
  v_digest := case when p_debit < p_credit
    then ledger_entry_bytes(p_debit, p_day, -p_grams, -p_points, -p_fen, 0)
      || ledger_entry_bytes(p_credit, p_day, p_grams, p_points, p_fen, 0)
    else ledger_entry_bytes(p_credit, p_day, p_grams, p_points, p_fen, 0)
      || ledger_entry_bytes(p_debit, p_day, -p_grams, -p_points, -p_fen, 0)
  end;
  v_digest := sha256(ledger_digest_head(p_kind, p_reference) || v_digest);
  insert into ledger_journal (kind, reference, at, entries, grams, points, fen, restores, digest)
  values (p_kind, p_reference, p_at, 2, p_grams, p_points, p_fen, p_restores, v_digest)
  on conflict (kind, reference) do nothing
  returning id into v_journal;
  if v_journal is null then
    select id, digest into v_journal, v_earlier from ledger_journal where kind = p_kind and reference = p_reference;
    if v_earlier is distinct from v_digest then
      raise exception 'this reference was used for another booking' using errcode = 'TL002';
    end if;
    return v_journal;
  end if;
  insert into ledger_entry (account_id, day, journal_id, grams, points, fen, n_records) values
    (p_debit, p_day, v_journal, -p_grams, -p_points, -p_fen, 0),
    (p_credit, p_day, v_journal, p_grams, p_points, p_fen, 0);
  -- Balances are locked in the order of their numbers, as everywhere, and last, so that locks are short.
  foreach v_account in array array[least(p_debit, p_credit), greatest(p_debit, p_credit)] loop
    if v_account = p_debit then
      update ledger_balance
      set grams = grams - p_grams, points = points - p_points, fen = fen - p_fen, version = version + 1
      where account_id = v_account and grams >= p_grams and points >= p_points and fen >= p_fen;
    else
      update ledger_balance
      set grams = grams + p_grams, points = points + p_points, fen = fen + p_fen, version = version + 1
      where account_id = v_account;
    end if;
    if not found then
      select * into v_have from ledger_balance where account_id = v_account;
      if found then
        raise exception 'not enough' using errcode = 'TL001',
          detail = json_build_object('grams', v_have.grams, 'points', v_have.points, 'fen', v_have.fen)::text;
      end if;
      perform 1 from ledger_account where id = v_account and system_code is not null;
      if not found then
        raise exception 'no such account' using errcode = 'TL003', detail = v_account::text;
      end if;
    end if;
  end loop;
  return v_journal;
end
$$;

-- Cut what takes more than there is: the shortage goes back to the latest days' negative legs and becomes due.
-- The balances are locked first, in order.
create function ledger_clip_legs_v1() returns void language plpgsql as $$
begin
  perform 1 from ledger_balance b where b.account_id in (select l.account_id from ledger_legs l)
  order by b.account_id for update;
  with shortage as (
    select l.account_id,
      greatest(0, -(b.grams + sum(l.grams))) as grams, greatest(0, -(b.points + sum(l.points))) as points
    from ledger_legs l join ledger_balance b using (account_id)
    group by l.account_id, b.grams, b.points
    having b.grams + sum(l.grams) < 0 or b.points + sum(l.points) < 0
  ), taken as (
    select l.account_id, l.day, s.grams as short_grams, s.points as short_points,
      greatest(-l.grams, 0) as grams, greatest(-l.points, 0) as points,
      sum(greatest(-l.grams, 0)) over latest_first as grams_so_far,
      sum(greatest(-l.points, 0)) over latest_first as points_so_far
    from ledger_legs l join shortage s using (account_id)
    window latest_first as (partition by l.account_id order by l.day desc)
  ), given_back as (
    select account_id, day,
      least(grams, greatest(0, short_grams - (grams_so_far - grams)))::bigint as grams,
      least(points, greatest(0, short_points - (points_so_far - points)))::bigint as points
    from taken
  )
  update ledger_legs l
  set grams = l.grams + g.grams, points = l.points + g.points, due_grams = g.grams, due_points = g.points
  from given_back g where g.account_id = l.account_id and g.day = l.day;
end
$$;

-- Post the rows of the temporary table ledger_legs with one balancing entry on a system account.
-- p_digest is null where a leg is negative: then it can be cut, and the digest is taken afterwards.
create function ledger_post_v1(
  p_kind text, p_reference text, p_at timestamptz, p_day date, p_system bigint,
  p_grams numeric, p_points numeric, p_digest bytea
) returns table (
  journal_id bigint, entries integer, grams bigint, points bigint, due_grams bigint, due_points bigint
) language plpgsql set jit = off as $$
#variable_conflict use_column
declare
  v_journal bigint;
  v_digest bytea := p_digest;
  v_sum record;
  v_reached bigint;
  v_unknown bigint;
begin
  select coalesce(sum(l.grams), 0) as grams, coalesce(sum(l.points), 0) as points into v_sum from ledger_legs l;
  if v_sum.grams <> p_grams or v_sum.points <> p_points then
    raise exception 'the legs that arrived are not the legs that were sent' using errcode = 'TL004';
  end if;
  if p_digest is null then
    perform ledger_clip_legs_v1();
  end if;
  select count(*)::integer as n, min(l.day) = max(l.day) as one_day, coalesce(sum(l.n_records), 0)::integer as records,
    coalesce(sum(l.grams), 0)::bigint as grams, coalesce(sum(l.points), 0)::bigint as points,
    coalesce(sum(greatest(l.grams, 0)), 0)::bigint as up_grams, coalesce(sum(greatest(l.points, 0)), 0)::bigint as up_points,
    coalesce(sum(l.due_grams), 0)::bigint as due_grams, coalesce(sum(l.due_points), 0)::bigint as due_points
  into v_sum from ledger_legs l;
  if v_digest is null then
    select sha256(ledger_digest_head(p_kind, p_reference)
      || string_agg(ledger_entry_bytes(e.account_id, e.day, e.grams, e.points, 0, e.n_records), ''::bytea
                    order by e.account_id, e.day))
    into v_digest
    from (
      select l.account_id, l.day, l.grams, l.points, l.n_records from ledger_legs l
      union all select p_system, p_day, -v_sum.grams, -v_sum.points, v_sum.records
    ) e;
  end if;
  insert into ledger_journal (kind, reference, at, entries, grams, points, fen, restores, digest)
  values (p_kind, p_reference, p_at, v_sum.n + 1,
    v_sum.up_grams + greatest(-v_sum.grams, 0), v_sum.up_points + greatest(-v_sum.points, 0), 0, false, v_digest)
  on conflict (kind, reference) do nothing
  returning id into v_journal;
  if v_journal is null then
    return query select j.id, j.entries, null::bigint, null::bigint, null::bigint, null::bigint
      from ledger_journal j where j.kind = p_kind and j.reference = p_reference;
    return;
  end if;
  insert into ledger_entry (account_id, day, journal_id, grams, points, fen, n_records)
  select l.account_id, l.day, v_journal, l.grams, l.points, 0, l.n_records from ledger_legs l
  union all select p_system, p_day, v_journal, -v_sum.grams, -v_sum.points, 0, v_sum.records;
  if p_digest is null then
    insert into ledger_clawback (account_id, journal_id, grams, points)
    select l.account_id, v_journal, sum(l.due_grams), sum(l.due_points) from ledger_legs l
    group by l.account_id having sum(l.due_grams) > 0 or sum(l.due_points) > 0;
    update ledger_balance b set
      grams = b.grams + d.grams, points = b.points + d.points, version = b.version + 1,
      clawback_due_grams = b.clawback_due_grams + d.due_grams,
      clawback_due_points = b.clawback_due_points + d.due_points
    from (
      select l.account_id, sum(l.grams) as grams, sum(l.points) as points,
        sum(l.due_grams) as due_grams, sum(l.due_points) as due_points
      from ledger_legs l group by l.account_id
    ) d where b.account_id = d.account_id;
    get diagnostics v_reached = row_count;
    select count(distinct l.account_id) - v_reached into v_unknown from ledger_legs l;
  else
    -- An upsert and not an update, because only an insert keeps the order of its rows and so the order of locks.
    -- Every account was opened with a balance row, so an inserted row (version -1) betrays an unknown account.
    -- Legs of one day are one per account (the entries' key says so), and need no grouping: a quarter less time.
    if v_sum.one_day then
      with reached as (
        insert into ledger_balance as b
          (account_id, grams, points, fen, version, clawback_due_grams, clawback_due_points)
        select l.account_id, l.grams, l.points, 0, -1, 0, 0 from ledger_legs l order by l.account_id
        on conflict (account_id) do update
        set grams = b.grams + excluded.grams, points = b.points + excluded.points, version = b.version + 1
        returning version
      ) select count(*) filter (where version = -1) into v_unknown from reached;
    else
      with reached as (
        insert into ledger_balance as b
          (account_id, grams, points, fen, version, clawback_due_grams, clawback_due_points)
        select l.account_id, sum(l.grams)::bigint, sum(l.points)::bigint, 0, -1, 0, 0 from ledger_legs l
        group by l.account_id order by l.account_id
        on conflict (account_id) do update
        set grams = b.grams + excluded.grams, points = b.points + excluded.points, version = b.version + 1
        returning version
      ) select count(*) filter (where version = -1) into v_unknown from reached;
    end if;
  end if;
  if v_unknown > 0 then
    raise exception 'legs name accounts that nobody opened' using errcode = 'TL003', detail = v_unknown::text;
  end if;
  return query select v_journal, v_sum.n + 1, v_sum.grams, v_sum.points, v_sum.due_grams, v_sum.due_points;
end
$$;
