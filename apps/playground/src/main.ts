import { ConfigError, readConfig } from './config.js'
import { startPlayground } from './playground.js'

/** How long the connections take to leave, in milliseconds. */
const drainTime = 5_000

try {
  const playground = await startPlayground(readConfig(process.env))
  const exit = () => process.exit(0)
  const close = () => void playground.close().then(exit)
  process.on('SIGINT', close)
  process.once('SIGTERM', () => {
    // Who signals again does not want to wait.
    process.on('SIGTERM', close)
    void playground.drain(drainTime).then(exit)
  })
  console.log(`Sallyport playground: ${playground.url}`)
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
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
