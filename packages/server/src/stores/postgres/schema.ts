import { ConfigurationError } from '../../support/errors.js'

/** A schema as it stands in a statement. */
export type Quoted = `"${string}"`

/** @throws ConfigurationError on a name that is not lower-case letters, digits and `_` */
export function quoted(name: string, schema: string): Quoted {
  if (typeof schema === 'string' && /^[a-z_][a-z0-9_]{0,62}$/.test(schema)) return `"${schema}"`
  throw new ConfigurationError(
    'store-schema',
    `${name}: schema is ${JSON.stringify(schema)}; use lower-case letters, digits and _, 63 of them at most`,
  )
}

// Any number that others are not likely to lock.
const lock = 7_265_414_311

/**
 * The statement that makes the tables of `postgresStore`, in a schema of their own. Run it once, with your migrations, as
 * the role that is to own them. It changes nothing that is there, and any number of nodes may run it at once.
 *
 * What lives for seconds stands in unlogged tables: they write no log, and after a crash or a failover PostgreSQL empties
 * them, so that no ticket has a second life. Revocations stand in a table that is logged.
 *
 * @param schema its name: lower-case letters, digits and `_`. Default `sallyport`.
 * @returns one statement of SQL, for PostgreSQL 13 or later
 * @throws ConfigurationError on a name that cannot be one
 */
export function postgresSchema(schema = 'sallyport'): string {
  const s = quoted('postgresSchema', schema)
  // What is here for a moment is swept up soon: every ticket leaves a dead row.
  const swept = 'WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)'
  return `DO $$
BEGIN
  PERFORM pg_advisory_xact_lock(${lock});
  CREATE SCHEMA IF NOT EXISTS ${s};
  CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.items (
    key text PRIMARY KEY, value bytea NOT NULL, ends_at timestamptz NOT NULL
  ) ${swept};
  CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.counters (
    key text PRIMARY KEY, members bigint[] NOT NULL, ends_at timestamptz NOT NULL
  ) ${swept};
  CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.places (
    name text PRIMARY KEY, members text[] NOT NULL, ends timestamptz[] NOT NULL,
    acquired boolean NOT NULL, replaced text[] NOT NULL, ends_at timestamptz NOT NULL
  ) ${swept};
  CREATE TABLE IF NOT EXISTS ${s}.log (
    id bigint PRIMARY KEY, entry bytea NOT NULL, ends_at timestamptz NOT NULL
  );
  CREATE TABLE IF NOT EXISTS ${s}.log_head (is_one boolean PRIMARY KEY CHECK (is_one), last bigint NOT NULL);
  CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.nodes (
    id text PRIMARY KEY, born uuid NOT NULL DEFAULT gen_random_uuid(), position bigint NOT NULL, heard bigint NOT NULL,
    looked_at timestamptz NOT NULL, ends_at timestamptz NOT NULL
  ) WITH (fillfactor = 50);
  CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.questions (
    id bigint PRIMARY KEY, question bytea NOT NULL, ends_at timestamptz NOT NULL
  ) ${swept};
  CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.question_head (
    is_one boolean PRIMARY KEY CHECK (is_one), last bigint NOT NULL
  ) WITH (fillfactor = 50);
  CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.answers (
    question text NOT NULL, answer bytea NOT NULL, ends_at timestamptz NOT NULL
  ) ${swept};
  CREATE INDEX IF NOT EXISTS answers_question ON ${s}.answers (question);
END
$$;`
}
