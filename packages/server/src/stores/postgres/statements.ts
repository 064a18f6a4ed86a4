import type { Quoted } from './schema.js'

// The time of the server: that of the transaction would be older where a statement has waited.
const now = 'clock_timestamp()'
const nowMs = `trunc(extract(epoch FROM ${now}) * 1000)::float8 AS now`
/** The end of what lasts so many milliseconds from now on. */
const after = (parameter: string) => `${now} + ${parameter}::float8 * interval '1 millisecond'`

/** The statements on the tables of a schema, each one step under any race, in every isolation level. */
export function statementsOn(s: Quoted) {
  // Whoever appends holds the row of the head until its entry can be seen: no number comes after one that is greater.
  const nextOf = (table: 'log' | 'question', count: string) => `
    INSERT INTO ${s}.${table}_head AS head (is_one, last)
    VALUES (true, ${count} + (SELECT coalesce(max(id), 0) FROM ${s}.${table === 'log' ? 'log' : 'questions'}))
    ON CONFLICT (is_one) DO UPDATE SET last = head.last + ${count} RETURNING last`
  const swept = ['items', 'counters', 'places', 'log', 'nodes', 'questions', 'answers']
  // What a node stands on must stay, or it takes it for lost; and the last, because the next one may come to stand on it.
  const stoodOn = `(SELECT min(position) FROM ${s}.nodes WHERE position > 0 AND ends_at > ${now})`
  const isPassed = `id < (SELECT least(max(id), ${stoodOn}) FROM ${s}.log)`

  return {
    /** Key, value, time to live. A row, unless the key is in use. */
    put: `
      INSERT INTO ${s}.items AS old (key, value, ends_at) VALUES ($1, $2, ${after('$3')})
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at WHERE old.ends_at <= ${now}
      RETURNING true`,

    /** Key. Its value, whether it is not over, and the time. */
    take: `DELETE FROM ${s}.items WHERE key = $1 RETURNING value, ends_at > ${now} AS lives, ${nowMs}`,

    /** Key, member, time to live. How many members there are; of each a part of its hash is kept. */
    count: `
      INSERT INTO ${s}.counters AS old (key, members, ends_at)
      VALUES ($1, ARRAY[hashtextextended($2, 0)], ${after('$3')})
      ON CONFLICT (key) DO UPDATE SET
        members = CASE
          WHEN old.ends_at <= ${now} THEN excluded.members
          WHEN old.members @> excluded.members THEN old.members
          ELSE old.members || excluded.members
        END,
        ends_at = CASE WHEN old.ends_at <= ${now} THEN excluded.ends_at ELSE old.ends_at END
      RETURNING cardinality(members) AS members`,

    /** Group, member, places, what becomes of one more, time to live. Whether it has a place, and who lost theirs. */
    acquire: `
      INSERT INTO ${s}.places AS old (name, members, ends, acquired, replaced, ends_at)
      VALUES ($1, ARRAY[$2::text], ARRAY[${after('$5')}], true, '{}', ${after('$5')})
      ON CONFLICT (name) DO UPDATE SET (members, ends, acquired, replaced, ends_at) = (
        WITH live AS (
          SELECT member, ends_at, row_number() OVER (ORDER BY place) AS place
          FROM unnest(old.members, old.ends) WITH ORDINALITY AS each (member, ends_at, place)
          WHERE ends_at > ${now}
        ), judged AS (
          SELECT CASE WHEN coalesce(bool_or(member = $2), false) THEN 0 ELSE greatest(count(*) - $3::int + 1, 0) END
            AS surplus, coalesce(bool_or(member = $2), false) AS has
          FROM live
        ), kept AS (
          SELECT member, CASE WHEN member = $2 THEN excluded.ends_at ELSE ends_at END AS ends_at, place
          FROM live, judged WHERE $4 = 'refuse' OR place > surplus
          UNION ALL
          SELECT $2, excluded.ends_at, 9223372036854775807
          FROM judged WHERE NOT has AND (surplus = 0 OR $4 <> 'refuse')
        )
        SELECT array_agg(member ORDER BY place), array_agg(ends_at ORDER BY place),
          (SELECT surplus = 0 OR $4 <> 'refuse' FROM judged),
          ARRAY(SELECT member FROM live, judged WHERE $4 <> 'refuse' AND place <= surplus ORDER BY place),
          max(ends_at)
        FROM kept
      )
      RETURNING acquired, replaced`,

    /** Group, member. */
    release: `
      UPDATE ${s}.places SET (members, ends) = (
        SELECT coalesce(array_agg(member ORDER BY place), '{}'), coalesce(array_agg(ends_at ORDER BY place), '{}')
        FROM unnest(members, ends) WITH ORDINALITY AS each (member, ends_at, place) WHERE member <> $2
      )
      WHERE name = $1 AND members @> ARRAY[$2::text]`,

    /** Entries, and for each its time to live. The number of the last; those of the others come before it. */
    append: `
      WITH head AS (${nextOf('log', 'cardinality($1::bytea[])')}), written AS (
        INSERT INTO ${s}.log (id, entry, ends_at)
        SELECT last - cardinality($1::bytea[]) + number, entry, ${after('ttl')}
        FROM head, unnest($1::bytea[], $2::float8[]) WITH ORDINALITY AS each (entry, ttl, number)
      )
      SELECT last FROM head`,

    /** Numbers. Those of them that are not there, and the time. */
    missing: `
      SELECT ARRAY(
        SELECT id FROM unnest($1::bigint[]) AS each (id)
        WHERE NOT EXISTS (SELECT FROM ${s}.log WHERE log.id = each.id)
      )::text[] AS missing, ${nowMs}`,

    /**
     * Node, its positions in log and questions, how long it counts from now on, entries at most. Says that the node is
     * awake and how far it has come; then the entries from that position on, itself included, and the questions behind the
     * other. The row of a node has a mark of its own, which is another one when PostgreSQL has emptied the table; then its
     * positions mean nothing any more.
     */
    look: `
      WITH told AS (
        INSERT INTO ${s}.nodes (id, position, heard, looked_at, ends_at) VALUES ($1, 0, 0, ${now}, ${after('$4')})
        ON CONFLICT (id) DO UPDATE SET position = $2, heard = $3, looked_at = excluded.looked_at, ends_at = excluded.ends_at
        RETURNING born::text
      )
      SELECT 'told' AS kind, 0 AS id, NULL::bytea AS sealed, born, ${nowMs} FROM told
      UNION ALL
      (SELECT 'entry', id, entry, NULL, NULL FROM ${s}.log WHERE id >= $2 ORDER BY id LIMIT $5)
      UNION ALL
      (SELECT 'question', id, question, NULL, NULL FROM ${s}.questions
        WHERE id > $3 AND ends_at > ${now} ORDER BY id LIMIT $5)
      ORDER BY id`,

    /**
     * The name of a question, and for how many milliseconds a node seems to be awake after a look. The positions of the
     * nodes that count, and the answers.
     */
    positions: `
      SELECT 'node' AS kind, position, heard, looked_at > ${now} - $2::float8 * interval '1 millisecond' AS is_awake,
        NULL::bytea AS sealed
      FROM ${s}.nodes WHERE ends_at > ${now}
      UNION ALL
      SELECT 'answer', 0, 0, false, answer FROM ${s}.answers WHERE question = $1 AND ends_at > ${now}`,

    /** Question, time to live. Its number. */
    ask: `
      WITH head AS (${nextOf('question', '1')}), written AS (
        INSERT INTO ${s}.questions (id, question, ends_at) SELECT last, $1, ${after('$2')} FROM head
      )
      SELECT last FROM head`,

    /** The name of a question, an answer, time to live. */
    answer: `INSERT INTO ${s}.answers (question, answer, ends_at) VALUES ($1, $2, ${after('$3')})`,

    /** Node. */
    leave: `DELETE FROM ${s}.nodes WHERE id = $1`,

    /** Takes out what is over, and waits for nobody who does the same. */
    sweep: `WITH ${swept
      .map(
        (table) => `from_${table} AS (
        DELETE FROM ${s}.${table} WHERE ctid IN (
          SELECT ctid FROM ${s}.${table}
          WHERE ends_at <= ${now}${table === 'log' ? ` AND ${isPassed}` : ''} LIMIT 10000 FOR UPDATE SKIP LOCKED
        )
      )`,
      )
      .join(', ')} SELECT`,

    listen: `LISTEN ${s}`,

    /** The channel. Wakes who listens. */
    wake: `SELECT pg_notify($1, '')`,

    /** What the server says of itself, and the time. */
    inspect: `
      SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
        current_setting('statement_timeout') AS statement_timeout, ${nowMs}`,
  }
}

/** The statements on the tables of one schema. */
export type Statements = ReturnType<typeof statementsOn>
