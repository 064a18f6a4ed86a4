/** The examples: `{ name: 'koa', description: 'Koa 3' }`. */
export const examples: readonly { readonly name: string; readonly description: string }[]
/** The environment that an example runs in. */
export function environmentOf(): NodeJS.ProcessEnv
