import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Engine, Tab } from './engine.js'
import { programOf, signalAll } from './process.js'
import { act, type Session, startSession } from './web-driver.js'

/** WebKit, by WebDriver, on a screen that nobody sees. */
export async function webkit(): Promise<Engine> {
  const screen = spawn(programOf('XVFB_PATH', '/usr/bin/Xvfb'), ['-displayfd', '1', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [display] = await once(createInterface(screen.stdout), 'line')
  const port = await freePort()
  const driver = spawn(programOf('WEBKIT_DRIVER_PATH', '/usr/bin/WebKitWebDriver'), [`--port=${port}`], {
    env: { ...process.env, DISPLAY: `:${display}` },
    stdio: 'ignore',
    detached: true,
  })
  const end = () => {
    signalAll(driver, 'SIGKILL')
    screen.kill()
  }
  try {
    const url = `http://127.0.0.1:${port}`
    await listening(url, driver)
    const session = await startSession(url)
    return {
      async open(address) {
        const tab = tabOf(session, await session.openTab())
        await tab.go(address)
        return tab
      },
      suspend: () => signalAll(driver, 'SIGSTOP'),
      resume: () => signalAll(driver, 'SIGCONT'),
      close: () => session.close().finally(end),
    }
  } catch (error) {
    end()
    throw error
  }
}

function tabOf(session: Session, name: string): Tab & { go(url: string): Promise<void> } {
  const run = <T>(expression: string) =>
    session.inTab<T>(name, async (command) => {
      // As the body of a function: a page that allows no `eval` allows that.
      const script = `const done = arguments[0]
        Promise.resolve().then(() => (${expression})).then(
          (value) => done({ value: JSON.stringify(value) }),
          (error) => done({ error: String(error) }),
        )`
      const { value, error } = await command<{ value?: string; error?: string }>('POST', '/execute/async', {
        script,
        args: [],
      })
      if (error !== undefined) throw new Error(error)
      return value === undefined ? undefined : JSON.parse(value)
    })
  return {
    run,
    go: (url) => session.inTab(name, async (command) => void (await command('POST', '/url', { url }))),
    reload: () => session.inTab(name, async (command) => void (await command('POST', '/refresh', {}))),
    click: (selector) => session.inTab(name, (command) => act(command, selector, 'click')),
    type: (selector, text) => session.inTab(name, (command) => act(command, selector, 'value', { text })),
    // WebDriver has no word for it: the page is told, and the network stays.
    setOffline: (offline) =>
      run(`(() => {
        Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => ${!offline} })
        dispatchEvent(new Event(${offline ? "'offline'" : "'online'"}))
      })()`),
    screenshot: () =>
      session.inTab(name, async (command) => Buffer.from(await command<string>('GET', '/screenshot'), 'base64')),
    close: () => session.inTab(name, async (command) => void (await command('DELETE', '/window'))),
  }
}

/** A port that is free; the driver does not say which it would take by itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

/** Waits until the driver answers; it says to nobody when it does. */
async function listening(url: string, driver: ChildProcess): Promise<void> {
  while (driver.exitCode === null) {
    const answer = await fetch(`${url}/status`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`WebKitWebDriver ended with ${driver.exitCode}`)
}
