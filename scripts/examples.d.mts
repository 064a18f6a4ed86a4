/** The examples: `{ name: 'koa', description: 'Koa 3', runtime: 'node' }`. */
export const examples: readonly { readonly name: string; readonly description: string; readonly runtime: string }[]
/** Whether an example is an application of a client, and no server. */
export function isApplication(name: string): boolean
/** The command that runs an example, and its arguments. */
export function commandOf(name: string): [command: string, args: string[]]
/** The environment that an example runs in. */
export function environmentOf(): NodeJS.ProcessEnv
