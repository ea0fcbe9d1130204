import { defineConfig } from 'vitest/config'

// Unit tests read the sources of all packages; the tests of the workspace see the built ones, as a user does.
const source = { ssr: { resolve: { conditions: ['@vault/source', 'node'] } } }

export default defineConfig({
  test: {
    projects: [
      { ...source, test: { name: 'packages', include: ['packages/*/test/**/*.test.ts'], testTimeout: 120_000 } },
      { test: { name: 'workspace', include: ['test/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
      { test: { name: 'interop', include: ['test/interop/*.test.ts'], testTimeout: 120_000 } },
    ],
  },
})
