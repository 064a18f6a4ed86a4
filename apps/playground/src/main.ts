import { ConfigError, readConfig } from './config.js'
import { type Playground, startPlayground } from './playground.js'

try {
  const playground = await startPlayground(readConfig(process.env))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop(playground))
  console.log(`Sallyport playground: ${playground.url}`)
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}

async function stop(playground: Playground): Promise<void> {
  await playground.close()
  process.exit(0)
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'The port is taken. Choose another: PORT=8081 npm start'
  if (code === 'EACCES') return 'This port needs more rights. Choose one above 1023: PORT=8080 npm start'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return 'HOST is no address of this computer. Leave it unset for 127.0.0.1.'
  return `The playground could not start: ${message}`
}
