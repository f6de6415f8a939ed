import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';

/** Where we listen and keep things. */
export const PLACES = {
  HOST: z.string().default('127.0.0.1').describe('Address the app listens on.'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000).describe('Port the app listens on.'),
  MAESTRO_HOME: z
    .string()
    .default(path.join(homedir(), '.maestro'))
    .transform((value) => path.resolve(value))
    .describe('Directory for the embedded database, mirrors, lanes and logs.'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'postgres://user:password@host:5432/database')
    .optional()
    .describe('Postgres. Without it: PGlite, embedded, one process only.'),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'redis://host:6379')
    .optional()
    .describe('Redis for the queue. Without it the queue lives in the database.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('What is logged, to standard error, as JSON lines.'),
};
