import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { build, type Plugin } from 'esbuild'
import removeTypes from 'flow-remove-types'
import { onTestFinished } from 'vitest'
import { createDevice, type Device, type DeviceOptions, type Platform } from './device.js'

const path = (from: string) => fileURLToPath(new URL(from, import.meta.url))
/** What `npm test` has fetched for the example, at its versions. */
const modules = path('../../../../examples/expo/node_modules')

/** An application: React Native's own JavaScript, and the client in it. */
export interface Application {
  readonly client: typeof import('@sallyport/client')
  readonly AppState: import('@sallyport/client').AppStateLike
  readonly NetInfo: import('@sallyport/client').NetInfoLike
  /** Its global object. */
  readonly scope: Record<string, unknown>
  readonly device: Device
}

/** React Native as an application starts it, without what draws; then the client. */
const entry = `
  require('react-native/Libraries/Core/setUpGlobals')
  const { polyfillGlobal } = require('react-native/Libraries/Utilities/PolyfillFunctions')
  polyfillGlobal('Event', () => require('react-native/src/private/webapis/dom/events/Event').default)
  polyfillGlobal('EventTarget', () => require('react-native/src/private/webapis/dom/events/EventTarget').default)
  require('react-native/Libraries/Core/setUpXHR')
  export const emitter = require('react-native/Libraries/EventEmitter/RCTDeviceEventEmitter').default
  export const AppState = require('react-native/Libraries/AppState/AppState').default
  export const NetInfo = require('@react-native-community/netinfo').default
  export const client = require('@sallyport/client')
`

/** What NetInfo takes of React Native, whose own index brings all that draws. */
const index = `
  export { default as NativeEventEmitter } from 'react-native/Libraries/EventEmitter/NativeEventEmitter'
  export { default as NativeModules } from 'react-native/Libraries/BatchedBridge/NativeModules'
  export * as TurboModuleRegistry from 'react-native/Libraries/TurboModule/TurboModuleRegistry'
  export { default as Platform } from 'react-native/Libraries/Utilities/Platform'
`

/** As Metro reads React Native: by paths of its own files, each in the form for the platform, without the types of Flow. */
const metro: Plugin = {
  name: 'metro',
  setup({ onLoad, onResolve, resolve }) {
    onResolve({ filter: /^react-native$/ }, () => ({ path: 'index', namespace: 'react-native' }))
    onLoad({ filter: /.*/, namespace: 'react-native' }, () => ({ contents: index, resolveDir: modules }))
    onResolve({ filter: /^react-native\// }, (args) =>
      resolve(`${modules}/${args.path}`, { kind: args.kind, resolveDir: modules }),
    )
    onLoad({ filter: /node_modules\/react-native\/.*\.js$/ }, async (args) => {
      const source = await readFile(args.path, 'utf8')
      return { contents: `${removeTypes(source, { all: true })}`, loader: 'jsx' }
    })
  },
}

const bundles: Partial<Record<Platform, Promise<string>>> = {}

async function bundle(platform: Platform): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: modules },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'application',
    platform: 'neutral',
    target: 'es2022',
    mainFields: ['react-native', 'module', 'main'],
    resolveExtensions: [`.${platform}.js`, '.native.js', '.js', '.ts'],
    define: { __DEV__: 'false', global: 'globalThis', 'process.env.NODE_ENV': '"production"' },
    alias: {
      '@sallyport/client': path('../../src/index.ts'),
      '@sallyport/protocol': path('../../../protocol/src/index.ts'),
    },
    plugins: [metro],
  })
  return `${outputFiles[0]?.text};application`
}

/** What Hermes has beside the language, and a `performance` of the platform. */
const engine = {
  ...{ setTimeout, clearTimeout, queueMicrotask, TextEncoder, atob, btoa, console },
  performance: { now: () => performance.now() },
}

/** Starts an application on a device of its own, which is turned off when the test is over. */
export async function startApplication({ hasExpo = true, ...options }: ApplicationOptions): Promise<Application> {
  bundles[options.platform] ??= bundle(options.platform)
  const code = await bundles[options.platform]
  let send: DeviceOptions['emit'] = () => {}
  const device = createDevice({ ...options, emit: (event, body) => send(event, body) })
  const scope = createContext({ ...engine, nativeModuleProxy: device.modules })
  const { emitter, ...parts }: Loaded = runInContext(code ?? '', scope)
  send = (event, body) => emitter.emit(event, body)
  // Where React Native's own is none of the standard's.
  if (hasExpo) scope.URL = URL
  onTestFinished(() => device.turnOff())
  return { ...parts, scope, device }
}

export interface ApplicationOptions extends Omit<DeviceOptions, 'emit'> {
  /** Whether there is the standard `URL`, as Expo and polyfills have it. Default `true`. */
  readonly hasExpo?: boolean
}

interface Loaded extends Omit<Application, 'scope' | 'device'> {
  readonly emitter: { emit(event: string, body: unknown): void }
}
