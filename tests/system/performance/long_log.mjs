// long_log.mjs: fills the logs of rooms of a load with messages, by SQL, as the product would have
// stored them: a million in some ten seconds. REQUIRES: neither control nor an edge runs, since
// they keep in mind where a log ends.
const ROWS_AT_ONCE = 100_000;

// One transaction: rows, and where each log ends. Columns that are not named have the schema's own
// values, the transaction's number among them.
const fillText = (run, each) => `
  begin;
  set local synchronous_commit = off;
  create temporary table target on commit drop as
    select id, last_seq, ordinal, split_part(id, '-', 3)::int as number,
           (extract(epoch from clock_timestamp()) * 1000000)::bigint as moment
    from rooms where id like 'load-${run}-%' and state = 0;
  insert into events (room_id, seq, kind, role, created_at, actor_id, actor_name, actor_email,
                      dedup_key, message_id, type, content, reply_to, subject, ordinal)
    select t.id, t.last_seq + n, 1, 0, t.moment, 'load-${run}-' || 2 * t.number, '', '',
           'cseed-' || t.last_seq + n,
           substr(ms, 1, 8) || '-' || substr(ms, 9, 4) || '-7' || lpad(to_hex(n & 4095), 3, '0') ||
             '-8' || lpad(to_hex(t.number), 3, '0') || '-' || lpad(to_hex(t.last_seq + n), 12, '0'),
           'text', rpad('seed ' || t.last_seq + n || ' ', 200, 'x'), '', '', t.ordinal + n
    from target t, lateral (select lpad(to_hex(t.moment / 1000), 12, '0') as ms) clock,
         generate_series(1, ${each}) n;
  update rooms r set last_seq = t.last_seq + ${each}, ordinal = t.ordinal + ${each},
                     last_at = greatest(r.last_at, t.moment)
    from target t where r.id = t.id;
  commit;`;

const storedOf = (postgres) => Number(postgres.sql('select count(*) from events').trim());

// Until so many events are stored. `run`: as --run of the load tool; its rooms are filled evenly.
export function fillLogs(bench, postgres, run, total) {
  const rooms = Number(postgres.sql(`select count(*) from rooms where id like 'load-${run}-%'`));
  const before = storedOf(postgres);
  for (let stored = before; stored < total;) {
    bench.progress(`stores messages: ${stored} of ${total}`);
    const each = Math.ceil(Math.min(ROWS_AT_ONCE, total - stored) / rooms);
    postgres.sql(fillText(run, each));
    stored += each * rooms;
  }
  if (total <= before) return;
  bench.progress('lets the database put its house in order');
  postgres.sql('vacuum (analyze) events');
  postgres.sql('vacuum (analyze) rooms');
  postgres.sql('checkpoint');
}
