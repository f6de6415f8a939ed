import { defineConfig } from 'vitest/config';

/**
 * Three projects, by what they need. `unit` needs nothing; `integration` needs real components (Postgres, Redis, a Docker
 * engine, git); `e2e` drives the whole product through the local GitHub. `globalSetup` starts what the last two need. In CI a
 * test may be tried twice: on a shared machine real components, and tests that measure, can be late once, and vitest reports what needed it.
 */
export default defineConfig({
  test: {
    reporters: ['default'],
    restoreMocks: true,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/contracts/**', 'test/e2e/**', 'node_modules/**'],
          retry: process.env['CI'] ? 1 : 0,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          setupFiles: ['test/setup/properties.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/contracts/**/*.test.ts'],
          globalSetup: ['test/setup/components.ts'],
          setupFiles: ['test/setup/properties.ts'],
          retry: process.env['CI'] ? 1 : 0,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/setup/components.ts'],
          setupFiles: ['test/setup/properties.ts'],
          retry: process.env['CI'] ? 1 : 0,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
