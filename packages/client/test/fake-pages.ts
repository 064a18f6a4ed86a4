import { type GuardedSocketOptions, type LifecycleOptions, lifecycle, pagePresence } from '@sallyport/client'
import { fakeFetch, refused, start } from './fakes.js'

/** An `EventTarget` that knows how many listeners it has. */
class CountingTarget extends EventTarget {
  listeners = 0

  override addEventListener(...listener: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++
    super.addEventListener(...listener)
  }

  override removeEventListener(...listener: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--
    super.removeEventListener(...listener)
  }
}

/** A page in a browser: the global object, with its document and its navigator. */
export class FakePage extends CountingTarget {
  readonly navigator = { onLine: true }
  readonly document = Object.assign(new CountingTarget(), { visibilityState: 'visible' })

  setOnline(onLine: boolean): void {
    this.navigator.onLine = onLine
    this.dispatchEvent(new Event(onLine ? 'online' : 'offline'))
  }

  setVisible(visible: boolean): void {
    this.document.visibilityState = visible ? 'visible' : 'hidden'
    this.document.dispatchEvent(new Event('visibilitychange'))
  }
}

/** The `AppState` of React Native. */
export class FakeApp {
  currentState = 'active'
  readonly #listeners = new Set<() => void>()

  get listeners(): number {
    return this.#listeners.size
  }

  addEventListener(_type: 'change', listener: () => void) {
    this.#listeners.add(listener)
    return { remove: () => void this.#listeners.delete(listener) }
  }

  setState(state: 'active' | 'inactive' | 'background'): void {
    this.currentState = state
    for (const listener of [...this.#listeners]) listener()
  }
}

/** A socket on a page, not yet open. */
export function onPage(options: Partial<GuardedSocketOptions> = {}, settings: LifecycleOptions = {}) {
  const page = new FakePage()
  const { fetch } = fakeFetch(refused(426))
  const started = start({ lifecycle: lifecycle({ presence: pagePresence(page), fetch, ...settings }), ...options })
  return { ...started, page }
}

/** A socket on a page, open and stable. */
export async function openOnPage(options: Partial<GuardedSocketOptions> = {}, settings: LifecycleOptions = {}) {
  const started = onPage(options, settings)
  await started.open()
  await started.clock.advance(10_000)
  return started
}
