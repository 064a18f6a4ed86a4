import { chromium, firefox } from './puppeteer.js'
import { webkit } from './webkit.js'

/** A running browser. Its tabs share their cookies. */
export interface Engine {
  /** Opens a tab of its own at that address. */
  open(url: string): Promise<Tab>
  /** Stops every process of the browser, as sleep does, until {@link resume}. */
  suspend(): void
  resume(): void
  close(): Promise<void>
}

/** A tab of a browser. Elements are named by a CSS selector. */
export interface Tab {
  /** Evaluates an expression in the page and waits for its promise. The value has to be one that JSON can say. */
  run<T>(expression: string): Promise<T>
  reload(): Promise<void>
  /** Clicks where the element is, as a hand would. */
  click(selector: string): Promise<void>
  /** Types behind what the element holds. */
  type(selector: string, text: string): Promise<void>
  /** Takes the network away, or gives it back; the page hears of it. */
  setOffline(offline: boolean): Promise<void>
  /** What is in sight, as PNG. */
  screenshot(): Promise<Uint8Array>
  close(): Promise<void>
}

/** The engines that browsers are made of, by their names. Each starts the program that `npm test` names. */
export const engines = { chromium, firefox, webkit } as const

export type EngineName = keyof typeof engines
