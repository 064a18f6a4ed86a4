import { ConfigurationError } from '../support/errors.js'
import { readTarget } from './request.js'

/** Checks a path among the options of `owner`: one that a request can have, in the one spelling that is read. */
export function checkedPath(owner: string, path: string): string {
  if (readTarget(path)?.path === path) return path
  const segments = path.replace(/^\w+:\/\/[^/]*|[?#].*/gs, '').split('/')
  const meant = `/${segments.filter((segment) => segment !== '').join('/')}`
  const instead = readTarget(meant)?.path === meant ? meant : '/ws'
  throw new ConfigurationError(`${owner}: ${JSON.stringify(path)} is no path; write one such as "${instead}"`)
}
