import { onTestFinished } from 'vitest'
import { nextTurn } from './deferred.js'

/** What the process is warned of while a test runs; asked for, it has all of it. */
export function warningsOfTest(): () => Promise<string[]> {
  const warnings: string[] = []
  const listen = ({ message }: Error) => warnings.push(message)
  process.on('warning', listen)
  onTestFinished(() => void process.off('warning', listen))
  return async () => {
    // They are told a moment later.
    await nextTurn()
    return warnings
  }
}
