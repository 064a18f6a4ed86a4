/** Sends one command of WebDriver (W3C), and returns the value of the answer. Throws what the driver calls an error. */
export type Command = <T = unknown>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<T>

/** The key under which WebDriver names an element. */
const elementKey = 'element-6066-11e4-a52e-4f735466cecf'

/** The few commands that a tab is made of: a library that knows them all would be larger than this whole folder. */
export interface Session {
  /** Opens a tab and returns its name. */
  openTab(): Promise<string>
  /** Does something in a tab, when nobody else does. */
  inTab<T>(tab: string, act: (command: Command) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Starts a session at the driver that listens at `url`. */
export async function startSession(url: string): Promise<Session> {
  const { sessionId } = await send<{ sessionId: string }>(`${url}/session`, 'POST', { capabilities: {} })
  const command: Command = (method, path, body) => send(`${url}/session/${sessionId}${path}`, method, body)
  await command('POST', '/timeouts', { script: 60_000 })
  /** A session has one tab at a time to which commands go. */
  let turn: Promise<unknown> = Promise.resolve()

  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = turn.then(act)
    turn = mine.catch(() => {})
    return mine
  }

  return {
    openTab: () =>
      inTurn(async () => (await command<{ handle: string }>('POST', '/window/new', { type: 'tab' })).handle),
    inTab: (handle, act) =>
      inTurn(async () => {
        await command('POST', '/window', { handle })
        return act(command)
      }),
    close: async () => {
      await command('DELETE', '')
    },
  }
}

/** Does `action` to the element with that selector. Throws an error that names it. */
export async function act(command: Command, selector: string, action: 'click' | 'value', body = {}): Promise<void> {
  try {
    const found = await command<Record<string, string>>('POST', '/element', { using: 'css selector', value: selector })
    // The driver scrolls as the page does, and does not wait where that is smooth.
    const script = `arguments[0].scrollIntoView({ behavior: 'instant', block: 'center' })`
    await command('POST', '/execute/sync', { script, args: [found] })
    await command('POST', `/element/${found[elementKey]}/${action}`, body)
  } catch (cause) {
    throw new Error(`${action} of ${selector}: ${cause}`, { cause })
  }
}

async function send<T>(url: string, method: string, body?: object): Promise<T> {
  const answer = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) })
  const { value } = (await answer.json()) as { value: T & { error?: string; message?: string } }
  if (!answer.ok) throw new Error(`${value.error}: ${value.message}`)
  return value
}
