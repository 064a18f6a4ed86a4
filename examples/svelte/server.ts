import { createServer } from 'vite'
import { servePage } from '../shared/serve-page.js'

await servePage('svelte', createServer)
