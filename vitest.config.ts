import { defineConfig } from 'vitest/config';

/**
 * Three projects, by what they need. `unit` needs nothing; `integration` needs real components (Postgres, Redis, a Docker
 * engine, git); `e2e` drives the whole product through the local GitHub. `globalSetup` starts what the last two need.
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
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/contracts/**/*.test.ts'],
          globalSetup: ['test/setup/components.ts'],
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
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
