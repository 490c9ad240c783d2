-- A transfer asks for each account once: in the order of their numbers, and only for what can be missing.
-- The first version (ledger_transfer_v1) stays for processes of the release before.
create function ledger_transfer_v2(
  p_kind text, p_reference text, p_at timestamptz, p_day date, p_debit bigint, p_credit bigint,
  p_grams bigint, p_points bigint, p_fen bigint, p_restores boolean
) returns bigint language plpgsql as $$
declare
  v_journal bigint;
  v_digest bytea;
  v_earlier bytea;
  v_debited boolean;
  v_credited boolean;
begin
  if p_debit = p_credit or p_grams < 0 or p_points < 0 or p_fen < 0 or p_grams + p_points + p_fen = 0 then
    raise exception 'a transfer moves a positive amount between two accounts' using errcode = 'TL004';
  end if;
  v_digest := sha256(ledger_digest_head(p_kind, p_reference) || case when p_debit < p_credit
    then ledger_entry_bytes(p_debit, p_day, -p_grams, -p_points, -p_fen, 0)
      || ledger_entry_bytes(p_credit, p_day, p_grams, p_points, p_fen, 0)
    else ledger_entry_bytes(p_credit, p_day, p_grams, p_points, p_fen, 0)
      || ledger_entry_bytes(p_debit, p_day, -p_grams, -p_points, -p_fen, 0)
  end);
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
  if p_credit < p_debit then
    update ledger_balance set grams = grams + p_grams, points = points + p_points, fen = fen + p_fen, version = version + 1
    where account_id = p_credit;
    v_credited := found;
  end if;
  update ledger_balance set grams = grams - p_grams, points = points - p_points, fen = fen - p_fen, version = version + 1
  where account_id = p_debit and grams >= p_grams and points >= p_points and fen >= p_fen;
  v_debited := found;
  if p_credit > p_debit then
    update ledger_balance set grams = grams + p_grams, points = points + p_points, fen = fen + p_fen, version = version + 1
    where account_id = p_credit;
    v_credited := found;
  end if;
  if not (v_debited and v_credited) then
    perform ledger_without_balance_v2(p_debit, v_debited, p_credit, v_credited);
  end if;
  return v_journal;
end
$$;

-- Accept accounts without a balance row if they are the system's; say what is wrong with any other.
create function ledger_without_balance_v2(
  p_debit bigint, p_debited boolean, p_credit bigint, p_credited boolean
) returns void language plpgsql as $$
declare
  v_have ledger_balance;
  v_unknown bigint;
begin
  if not p_debited then
    select * into v_have from ledger_balance where account_id = p_debit;
    if found then
      raise exception 'not enough' using errcode = 'TL001',
        detail = json_build_object('grams', v_have.grams, 'points', v_have.points, 'fen', v_have.fen)::text;
    end if;
  end if;
  select a into v_unknown from (values (p_debit, p_debited), (p_credit, p_credited)) as w(a, reached)
  where not reached and not exists (select 1 from ledger_account x where x.id = a and x.system_code is not null)
  order by a limit 1;
  if v_unknown is not null then
    raise exception 'no such account' using errcode = 'TL003', detail = v_unknown::text;
  end if;
end
$$;
