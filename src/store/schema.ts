/** One step of the schema. Steps are only ever added: one that was released never changes. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Statements that may run in a transaction. */
  readonly sql: string;
}

/*
 * Times are epoch milliseconds in `double precision`: a JavaScript number, exactly. Texts and JSON come through `storable.ts`.
 * Facts that never change stand in one jsonb; what changes, is searched or is ordered by has a column of its own.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'inbox, runs, tasks, sessions, effects, audit',
    sql: `
      CREATE TABLE maestro.deliveries (
        guid text PRIMARY KEY,
        arrival bigint GENERATED ALWAYS AS IDENTITY,
        event text NOT NULL,
        action text,
        body text NOT NULL,
        received_at double precision NOT NULL,
        state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'settled', 'given up')),
        attempts integer NOT NULL DEFAULT 0,
        retry_at double precision NOT NULL DEFAULT 0,
        note text
      );
      CREATE INDEX deliveries_pending ON maestro.deliveries (received_at, arrival) WHERE state = 'pending';

      CREATE TABLE maestro.runs (
        id text PRIMARY KEY,
        arrival bigint GENERATED ALWAYS AS IDENTITY,
        repository_id bigint NOT NULL,
        trigger_issue bigint,
        playbook_issue bigint,
        created_at double precision NOT NULL,
        facts jsonb NOT NULL,
        state text NOT NULL,
        reason text,
        started_at double precision,
        ended_at double precision,
        parked_until double precision,
        tip text NOT NULL,
        pull_request jsonb,
        status_comment_id double precision,
        stop jsonb,
        lease_owner text,
        lease_until double precision,
        epoch integer NOT NULL DEFAULT 0
      );
      CREATE INDEX runs_by_age ON maestro.runs (created_at DESC, arrival DESC);
      CREATE INDEX runs_by_state ON maestro.runs (state, created_at DESC, arrival DESC);
      CREATE INDEX runs_by_repository ON maestro.runs (repository_id, created_at DESC, arrival DESC);
      CREATE INDEX runs_by_trigger_issue ON maestro.runs (trigger_issue, repository_id) WHERE trigger_issue IS NOT NULL;
      CREATE INDEX runs_by_playbook_issue ON maestro.runs (playbook_issue, repository_id) WHERE playbook_issue IS NOT NULL;

      CREATE TABLE maestro.tasks (
        run_id text NOT NULL REFERENCES maestro.runs (id),
        key text NOT NULL,
        position integer NOT NULL,
        title text NOT NULL,
        text text NOT NULL,
        attempts integer NOT NULL,
        outcome jsonb,
        usage jsonb NOT NULL,
        started_at double precision,
        ended_at double precision,
        PRIMARY KEY (run_id, key)
      );

      CREATE TABLE maestro.sessions (
        id text PRIMARY KEY,
        run_id text NOT NULL REFERENCES maestro.runs (id),
        started_at double precision NOT NULL,
        attempt integer NOT NULL,
        record jsonb NOT NULL
      );
      CREATE INDEX sessions_by_run ON maestro.sessions (run_id, started_at, attempt);

      CREATE TABLE maestro.effects (
        run_id text NOT NULL REFERENCES maestro.runs (id),
        key text NOT NULL,
        name text NOT NULL,
        intent jsonb NOT NULL,
        result jsonb,
        PRIMARY KEY (run_id, key)
      );

      CREATE TABLE maestro.audit (
        arrival bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at double precision NOT NULL,
        run_id text,
        session_id text,
        actor text NOT NULL,
        action text NOT NULL,
        detail jsonb NOT NULL
      );
      CREATE INDEX audit_by_run ON maestro.audit (run_id, arrival);

      CREATE FUNCTION maestro.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit log is never changed'; END;
      $$;
      CREATE TRIGGER audit_is_final BEFORE UPDATE OR DELETE ON maestro.audit
        FOR EACH ROW EXECUTE FUNCTION maestro.refuse_change();
    `,
  },
  {
    version: 2,
    name: 'marks, and the age of settled deliveries',
    sql: `
      CREATE TABLE maestro.marks (
        name text PRIMARY KEY,
        value jsonb NOT NULL,
        at double precision NOT NULL
      );
      CREATE INDEX deliveries_settled ON maestro.deliveries (received_at) WHERE state = 'settled';
    `,
  },
  {
    version: 3,
    name: 'one unsettled run per playbook, setbacks, sessions by task',
    // Of unsettled runs at the same work, from before this was refused, the newest has the key and the others have none.
    sql: `
      ALTER TABLE maestro.runs ADD COLUMN work text, ADD COLUMN setbacks jsonb;
      UPDATE maestro.runs SET work = CASE WHEN facts->'playbook'->>'kind' = 'file'
        THEN 'file:' || (facts->'playbook'->>'path') ELSE 'issue:' || (facts->'playbook'->>'issue') END;
      UPDATE maestro.runs AS older SET work = NULL
        WHERE state IN ('queued', 'running', 'parked') AND EXISTS (
          SELECT FROM maestro.runs AS newer
          WHERE newer.repository_id = older.repository_id AND newer.work = older.work AND newer.arrival > older.arrival
            AND newer.state IN ('queued', 'running', 'parked'));
      CREATE UNIQUE INDEX runs_at_work ON maestro.runs (repository_id, work) WHERE state IN ('queued', 'running', 'parked');
      CREATE INDEX sessions_by_task ON maestro.sessions (run_id, (record->>'taskKey'));
    `,
  },
  {
    version: 4,
    name: 'audit entries that are written once',
    sql: `
      ALTER TABLE maestro.audit ADD COLUMN once text;
      CREATE UNIQUE INDEX audit_once ON maestro.audit (run_id, once) WHERE once IS NOT NULL;
    `,
  },
  {
    version: 5,
    name: 'circuits, tasks that were taken over, sealed keys',
    sql: `
      CREATE TABLE maestro.circuits (
        name text PRIMARY KEY,
        circuit jsonb NOT NULL
      );
      ALTER TABLE maestro.tasks ADD COLUMN handover jsonb;
      CREATE TABLE maestro.keys (
        installation_id bigint NOT NULL,
        protocol text NOT NULL,
        sealed text NOT NULL,
        set_at double precision NOT NULL,
        PRIMARY KEY (installation_id, protocol)
      );
    `,
  },
  {
    version: 6,
    name: 'orders of people, and what they have come to',
    sql: `
      ALTER TABLE maestro.runs ADD COLUMN orders integer NOT NULL DEFAULT 0, ADD COLUMN steering jsonb;
      ALTER TABLE maestro.tasks ADD COLUMN since integer NOT NULL DEFAULT 0;
      CREATE TABLE maestro.orders (
        run_id text NOT NULL REFERENCES maestro.runs (id),
        number integer NOT NULL,
        key text NOT NULL,
        given_by text NOT NULL,
        at double precision NOT NULL,
        body jsonb NOT NULL,
        PRIMARY KEY (run_id, number),
        UNIQUE (run_id, key)
      );
    `,
  },
  {
    version: 7,
    name: 'lanes of deliveries, questions, notes, added tasks, rewound branches, what was spent',
    // A budget was a number of dollars before it could be more.
    sql: `
      ALTER TABLE maestro.deliveries ADD COLUMN lane text NOT NULL DEFAULT '';
      CREATE INDEX deliveries_by_lane ON maestro.deliveries (lane, received_at, arrival) WHERE state = 'pending';
      ALTER TABLE maestro.runs ADD COLUMN waits_for text, ADD COLUMN pushed text;
      ALTER TABLE maestro.tasks ADD COLUMN questions jsonb, ADD COLUMN notes jsonb, ADD COLUMN added jsonb;
      CREATE TABLE maestro.spending (
        session_id text NOT NULL,
        day text NOT NULL,
        run_id text NOT NULL REFERENCES maestro.runs (id),
        task_key text NOT NULL,
        repository_id bigint NOT NULL,
        cost_usd double precision NOT NULL,
        tokens double precision NOT NULL,
        ms double precision NOT NULL,
        PRIMARY KEY (session_id, day)
      );
      CREATE INDEX spending_by_run ON maestro.spending (run_id);
      CREATE INDEX spending_by_day ON maestro.spending (day, repository_id);
      UPDATE maestro.runs
        SET facts = jsonb_set(facts, '{settings,budget}', jsonb_build_object('run', jsonb_build_object('usd', facts->'settings'->'budget')))
        WHERE jsonb_typeof(facts->'settings'->'budget') = 'number';
    `,
  },
];
