/** The examples: `{ name: 'koa', description: 'Koa 3' }`. */
export const examples: readonly { readonly name: string; readonly description: string }[]
