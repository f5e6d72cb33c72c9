import { configDefaults, defineConfig } from 'vitest/config';

const exclude = [...configDefaults.exclude, 'test/lab/**'];

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 20_000,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...exclude, 'test/e2e/**'] } },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude,
          globalSetup: ['test/e2e/build.ts'],
          testTimeout: 40_000,
          maxConcurrency: 4,
        },
      },
    ],
  },
});
