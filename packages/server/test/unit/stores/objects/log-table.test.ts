import { describe, expect, it } from 'vitest'
import { LogTable } from '../../../../src/stores/objects/log-table.js'
import type { ObjectStorage } from '../../../../src/support/cloudflare.js'

/** A storage without rows. */
const storage = { sql: { exec: () => ({ toArray: () => [] }) }, setAlarm: async () => {} } as unknown as ObjectStorage

describe('LogTable', () => {
  it.each(['has lived on', 'was forgotten'])('I84 tells who has heard questions of the next one when it %s', (life) => {
    let time = 1_000
    const begin = () => new LogTable(storage, {}, () => time)
    const look = (log: LogTable, heard?: number) => log.look({ follower: 'a', position: 0, heard, answers: [] })
    const log = begin()
    const { heard } = look(log)
    for (const question of ['one', 'two']) void log.ask('b', question, 1)
    const looked = look(log, heard)
    expect(looked.questions.map(([, text]) => text)).toEqual(['one', 'two'])
    time += 60_000
    const later = life === 'was forgotten' ? begin() : log
    look(later, looked.heard)
    void later.ask('b', 'three', 1)
    expect(look(later, looked.heard).questions.map(([, text]) => text)).toEqual(['three'])
  })
})
