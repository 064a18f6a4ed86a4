import { defineEventHandler } from 'h3'

export default defineEventHandler(() => 'Sallyport example: Nitro')
