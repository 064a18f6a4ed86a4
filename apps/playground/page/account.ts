import * as api from './api.js'
import { find } from './dom.js'
import { mask } from './mask.js'
import { clockFace } from './time.js'

/** Who is signed in on this page. The token lives here, in memory, and nowhere else. */
export interface SignedIn {
  readonly user: string
  readonly token: string
}

interface Login extends SignedIn {
  /** By `performance.now()`. */
  readonly endsAt: number
}

/** The sign-in panel. */
export class Account {
  #current: Login | undefined
  readonly #form = find<HTMLFormElement>(document, '#sign-in')
  readonly #name = find<HTMLInputElement>(document, '#user')
  readonly #message = find<HTMLElement>(document, '#account-message')
  readonly #changed: (() => void)[] = []

  constructor() {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#attempt(() => this.#signIn())
    })
    find(document, '#sign-out').addEventListener('click', () => void this.#attempt(() => this.#signOut()))
    find(document, '#everywhere').addEventListener('click', () => void this.#attempt(() => this.#signOutEverywhere()))
    setInterval(() => this.#tick(), 1000)
    void this.#attempt(() => this.#resume())
  }

  /** Who is signed in, if anybody is. */
  get current(): SignedIn | undefined {
    return this.#current
  }

  /** Calls back whenever somebody signs in or out. */
  onChange(callback: () => void): void {
    this.#changed.push(callback)
  }

  /** Who is signed in; asks the visitor to do so, and answers nothing, when nobody is. */
  require(): SignedIn | undefined {
    if (!this.#current) {
      this.#message.textContent = 'Sign in first: any name will do.'
      this.#name.focus()
    }
    return this.#current
  }

  /** The token went with the page that had it; the session is still there. */
  async #resume(): Promise<void> {
    const found = await api.session()
    if (found.user === null || this.#current) return
    this.#set({ user: found.user, token: found.token, endsAt: performance.now() + found.expiresIn * 1000 })
  }

  async #signIn(): Promise<void> {
    const user = this.#name.value.trim()
    const { token, expiresIn } = await api.login(user)
    this.#set({ user, token, endsAt: performance.now() + expiresIn * 1000 })
    // Not to the button that took the place of the one just pressed: pressed again, it would sign out.
    find<HTMLElement>(document, '#signed-in').focus()
  }

  async #signOut(): Promise<void> {
    await api.logout()
    this.#leave('Signed out. The guard has closed every connection of that session.')
  }

  async #signOutEverywhere(): Promise<void> {
    const user = this.#current?.user
    await api.logoutEverywhere()
    this.#leave(`Logged out everywhere. The guard has closed every connection of ${user}, in every browser.`)
  }

  #leave(message: string): void {
    this.#set(undefined)
    this.#message.textContent = message
    this.#name.focus()
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    this.#message.textContent = ''
    try {
      await action()
    } catch (error) {
      this.#message.textContent = error instanceof Error ? error.message : String(error)
    }
  }

  #set(current: Login | undefined): void {
    this.#current = current
    this.#form.hidden = current !== undefined
    find<HTMLElement>(document, '#signed-in').hidden = current === undefined
    find(document, '#who').textContent = current?.user ?? ''
    find(document, '#token').textContent = current ? mask(current.token) : ''
    this.#tick()
    for (const callback of this.#changed) callback()
  }

  #tick(): void {
    if (!this.#current) return
    const seconds = (this.#current.endsAt - performance.now()) / 1000
    find(document, '#ends-in').textContent = clockFace(seconds)
    if (seconds > 0) return
    this.#set(undefined)
    this.#message.textContent = 'Your login has ended. Sign in again.'
  }
}
