import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const tests = (folder: string) => [`${folder}/**/*.test.ts`]

export default defineConfig({
  resolve: {
    alias: [
      { find: '@sallyport/protocol', replacement: source('packages/protocol/src/index.ts') },
      { find: '@sallyport/client/react', replacement: source('packages/client/src/react.ts') },
      { find: '@sallyport/client/socket-io', replacement: source('packages/client/src/socket-io.ts') },
      { find: '@sallyport/client', replacement: source('packages/client/src/index.ts') },
      { find: '@sallyport/server/jwt', replacement: source('packages/server/src/verifiers/tokens.ts') },
      { find: '@sallyport/server/logins', replacement: source('packages/server/src/verifiers/logins/index.ts') },
      { find: '@sallyport/server/bun', replacement: source('packages/server/src/adapters/bun/guard-bun.ts') },
      { find: '@sallyport/server/deno', replacement: source('packages/server/src/adapters/deno/guard-deno.ts') },
      { find: '@sallyport/server/fastify', replacement: source('packages/server/src/adapters/fastify.ts') },
      { find: '@sallyport/server/hono', replacement: source('packages/server/src/adapters/hono.ts') },
      { find: '@sallyport/server/cluster', replacement: source('packages/server/src/stores/cluster/store.ts') },
      { find: '@sallyport/server/postgres', replacement: source('packages/server/src/stores/postgres/store.ts') },
      { find: '@sallyport/server/redis', replacement: source('packages/server/src/stores/redis/store.ts') },
      {
        find: '@sallyport/server/socket-io',
        replacement: source('packages/server/src/adapters/socket-io/guard-socket-io.ts'),
      },
      { find: '@sallyport/server/testing', replacement: source('packages/server/src/testing/index.ts') },
      {
        find: '@sallyport/server/crossws',
        replacement: source('packages/server/src/adapters/crossws/guarded-web-socket.ts'),
      },
      {
        find: '@sallyport/server/nest-socket-io',
        replacement: source('packages/server/src/adapters/nest/guarded-io-adapter.ts'),
      },
      {
        find: '@sallyport/server/nest',
        replacement: source('packages/server/src/adapters/nest/guarded-ws-adapter.ts'),
      },
      { find: '@sallyport/server/ws', replacement: source('packages/server/src/adapters/ws/guard-server.ts') },
      { find: /^@sallyport\/server$/, replacement: source('packages/server/src/index.ts') },
    ],
  },
  test: {
    testTimeout: 15_000,
    // Many of them wait, for a browser or another process.
    maxWorkers: Math.max(3, availableParallelism()),
    setupFiles: source('vitest.setup.ts'),
    projects: [
      // Its files share the modules of their worker: to load them anew for each took as long as their tests.
      { extends: true, test: { name: 'server', include: tests('packages/{protocol,server}/test'), isolate: false } },
      // Libraries look where they are when they are loaded, and each of these files says where that is.
      { extends: true, test: { name: 'clients', include: tests('{packages/client,apps/*,examples,site}/test') } },
    ],
    // An unhandled rejection anywhere is a crash in production: let it fail the run.
    dangerouslyIgnoreUnhandledErrors: false,
  },
})
