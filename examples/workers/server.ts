import { runWorkerd } from '../shared/workerd.js'

await runWorkerd('workers', new URL('worker.ts', import.meta.url), { SALLYPORT: 'Sallyport' })
