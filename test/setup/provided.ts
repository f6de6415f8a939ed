/** What the tests may need that a machine may lack. */
export type ComponentName = 'redis' | 'postgres' | 'docker' | 'agentImage';

/** Where the components answer that `components.ts` started or found; undefined for one that can't be had. */
export interface Provided {
  /** `redis://127.0.0.1:PORT`: a private server, noeviction, append-only. Shared by all tests: use names of your own. */
  readonly redisUrl: string | undefined;
  /** Connection string of a private cluster's `postgres` database, as superuser. Tests take databases from `database.ts`. */
  readonly postgresUrl: string | undefined;
  /** `unix:///path` or `tcp://…` of a Docker engine that answers. */
  readonly dockerHost: string | undefined;
  /** Reference of the agent image on that engine. */
  readonly agentImage: string | undefined;
  /** Why a component can't be had, in words for people. */
  readonly missing: Partial<Readonly<Record<ComponentName, string>>>;
}

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: Provided['redisUrl'];
    postgresUrl: Provided['postgresUrl'];
    dockerHost: Provided['dockerHost'];
    agentImage: Provided['agentImage'];
    missing: Provided['missing'];
  }
}
