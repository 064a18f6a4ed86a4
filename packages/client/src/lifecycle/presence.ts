/** Whether the application has a network and is in front, as far as its platform tells. */
export interface Presence {
  readonly online: boolean
  readonly visible: boolean
  /** Calls back after every change, and whenever the platform resumes; the returned function ends that. */
  subscribe(callback: () => void): () => void
}

/** What can be listened to, as an `EventTarget`. */
export type Listenable = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>

/** The part of a browser's global object that is used. A worker has no `document`, and counts as visible. */
export interface PageLike extends Partial<Listenable> {
  readonly navigator?: { readonly onLine?: boolean }
  readonly document?: Listenable & { readonly visibilityState: string }
}

/** A page in a browser, or a worker. Anywhere else it is always online and visible. */
export function pagePresence(page: PageLike = globalThis): Presence {
  return {
    get online() {
      return page.navigator?.onLine !== false
    },
    get visible() {
      return page.document?.visibilityState !== 'hidden'
    },
    subscribe(callback) {
      const inWindow = ['online', 'offline', 'pageshow', 'focus']
      const inDocument = ['visibilitychange', 'resume']
      for (const type of inWindow) page.addEventListener?.(type, callback)
      for (const type of inDocument) page.document?.addEventListener(type, callback)
      return () => {
        for (const type of inWindow) page.removeEventListener?.(type, callback)
        for (const type of inDocument) page.document?.removeEventListener(type, callback)
      }
    },
  }
}

/** The part of React Native's `AppState` that is used. */
export interface AppStateLike {
  /** None yet while the application starts. */
  readonly currentState: string | null | undefined
  addEventListener(type: 'change', listener: () => void): { remove(): void }
}

/** The part of `@react-native-community/netinfo` that is used. */
export interface NetInfoLike {
  /** Tells the present state too, and returns what ends the telling. */
  addEventListener(listener: (state: { readonly isConnected: boolean | null }) => void): () => void
}

/**
 * An application in React Native: `appPresence(AppState, NetInfo)`. It is visible unless it is in the background; that it is
 * `inactive` on iOS, under a dialog or between two applications, does not count. React Native does not tell by itself
 * whether there is a network: without NetInfo, and while that does not know, the application counts as online. NetInfo is
 * followed from now on, as long as the application runs: make one presence for all sockets. Another network is not seen,
 * unless there was none in between.
 */
export function appPresence(appState: AppStateLike, netInfo?: NetInfoLike): Presence {
  let online = true
  const callbacks = new Set<() => void>()
  netInfo?.addEventListener(({ isConnected }) => {
    online = isConnected !== false
    for (const callback of callbacks) callback()
  })
  return {
    get online() {
      return online
    },
    get visible() {
      return appState.currentState !== 'background'
    },
    subscribe(callback) {
      callbacks.add(callback)
      const subscription = appState.addEventListener('change', callback)
      return () => {
        callbacks.delete(callback)
        subscription.remove()
      }
    },
  }
}
