import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, symlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '@sallyport/server'
import { clusterStore } from '@sallyport/server/cluster'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ClusterArguments } from '../nodes/cluster.js'
import { post } from '../nodes/http.js'
import type { Asked } from '../process/member.js'
import { type Child, startChild } from '../support/child.js'
import { credentialOf, fresh } from '../support/claims.js'
import { Client } from '../support/client.js'

const keep = 60_000
const timeout = 60_000

/** A folder of the test. */
function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-cluster-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A process that has a store of the cluster. */
class Member {
  readonly child: Child

  constructor(child: Child) {
    this.child = child
  }

  /** What the process answers. Rejects with the error of the store. */
  async ask(asked: Asked): Promise<unknown> {
    const { answer, error } = (await this.child.ask(asked)) as { answer?: unknown; error?: string }
    if (error !== undefined) throw new Error(error)
    return answer
  }

  put = (key: string, value = 'value') => this.ask({ call: 'put', args: [key, value, keep] })
  take = (key: string) => this.ask({ call: 'take', args: [key] })
  acquire = (member: string) =>
    this.ask({ call: 'acquire', args: ['group', member, { max: 1, whenFull: 'refuse' }, keep] })

  async kill(): Promise<void> {
    this.child.process.kill('SIGKILL')
    await this.child.ended
  }
}

async function startMember(folder: string): Promise<Member> {
  const child = await startChild(new URL('../process/member.ts', import.meta.url), { args: [folder] })
  await child.next()
  return new Member(child)
}

const links = (folder: string) => readdirSync(folder).filter((name) => /^\d+$/.test(name))

describe('processes that share a store in a folder', { timeout }, () => {
  it('I70 have one holder, however many come at once, and another when it is killed, and none is lost to two', async () => {
    const folder = folderOfTest()
    const members = await Promise.all(Array.from({ length: 5 }, () => startMember(folder)))
    await Promise.all(members.map((member, i) => member.put(`k${i}`)))
    expect(links(folder)).toEqual(['1'])
    for (const [i, member] of members.entries()) {
      expect(await member.take(`k${(i + 1) % members.length}`)).toBe('value')
      expect(await member.take(`k${(i + 1) % members.length}`)).toBeUndefined()
    }
    // The first of them that is asked alone becomes the holder of a folder of its own; then its follower does.
    const other = folderOfTest()
    const first = await startMember(other)
    await first.put('before')
    const rest = await Promise.all([startMember(other), startMember(other), startMember(other)])
    await Promise.all(rest.map((member) => member.put(`x${rest.indexOf(member)}`)))
    await first.kill()
    // One that has asked the old holder is told that it is gone, and asks again.
    const takes = await Promise.all(rest.map((member) => member.take('before').catch(() => member.take('before'))))
    expect(takes).toEqual([undefined, undefined, undefined])
    await rest[0]!.put('after')
    const winners = await Promise.all(rest.map((member) => member.take('after')))
    expect(winners.filter((value) => value !== undefined)).toEqual(['value'])
    expect(links(other)).toEqual(['2'])
  })

  it('I71 give back what a new holder does not know, and one who comes later hears it', async () => {
    const folder = folderOfTest()
    const holder = await startMember(folder)
    await holder.put('k')
    const other = await startMember(folder)
    await other.ask({ follow: ['revoked'] })
    await expect.poll(() => other.ask({ entries: true })).toEqual(['revoked'])
    await holder.kill()
    const late = await startMember(folder)
    await late.ask({ follow: [] })
    await expect.poll(() => late.ask({ entries: true })).toEqual(['revoked'])
  })

  it('I72 give back the places of one that has died, and of no other', async () => {
    const folder = folderOfTest()
    const [holder, one, other] = [await startMember(folder), await startMember(folder), await startMember(folder)]
    await holder.put('k')
    expect(await one.acquire('a')).toMatchObject({ acquired: true })
    expect(await other.acquire('b')).toMatchObject({ acquired: false })
    await one.kill()
    await expect.poll(() => other.acquire('b')).toMatchObject({ acquired: true })
    expect(await holder.acquire('c')).toMatchObject({ acquired: false })
  })

  it('I73 refuse in time while the holder hangs, put nobody in its place, and go on when it does', async () => {
    const folder = folderOfTest()
    const [holder, other] = [await startMember(folder), await startMember(folder)]
    await holder.put('k')
    await other.put('l')
    holder.child.process.kill('SIGSTOP')
    const start = performance.now()
    await expect(other.take('k')).rejects.toThrow('UnavailableError')
    await expect(other.put('m')).rejects.toThrow('UnavailableError')
    expect(performance.now() - start).toBeLessThan(5_000)
    expect(links(folder)).toEqual(['1'])
    holder.child.process.kill('SIGCONT')
    await expect
      .poll(
        () =>
          other.put('n').then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true)
    expect(await other.take('l')).toBe('value')
  })

  it.each([
    ['hangs', true],
    ['answers', false],
  ])('I91 end by themselves when they have left, while the holder %s', async (_, hangs) => {
    const folder = folderOfTest()
    const [holder, other] = [await startMember(folder), await startMember(folder)]
    await holder.put('k')
    await other.ask({ follow: ['1'] })
    await expect.poll(() => other.ask({ entries: true })).toEqual(['1'])
    if (hangs) holder.child.process.kill('SIGSTOP')
    expect(await other.ask({ leave: true })).toBe('left')
    expect((await other.child.ended).code).toBe(0)
  })

  it('I74 hear nothing of what strangers say on the socket', async () => {
    const folder = folderOfTest()
    const [holder, other] = [await startMember(folder), await startMember(folder)]
    await holder.put('k')
    await other.put('l')
    const path = realpathSync(join(folder, '1'))
    const said = [
      'no JSON',
      'null',
      '{"id":1,"call":"forget","args":[]}',
      '{"id":1,"call":"constructor","args":[]}',
      '{"call":"take"}',
    ]
    for (const line of said) {
      const socket = connect(path)
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.on('error', () => {})
      socket.write(`${line}\n`)
      await closed
    }
    // One that says nothing, and one that is in the middle of a word, keep nobody waiting.
    for (const begun of ['', '{"id":1,']) {
      const socket = connect(path)
      onTestFinished(() => void socket.destroy())
      socket.write(begun)
    }
    expect(await other.take('k')).toBe('value')
    expect(await holder.take('l')).toBe('value')
  })

  it.each(['the socket', 'the folder'])('I77 are together again when somebody has cleared away %s', async (what) => {
    const folder = folderOfTest()
    const [one, other] = [await startMember(folder), await startMember(folder)]
    await one.ask({ follow: ['1'] })
    await other.ask({ follow: ['2'] })
    const all = expect.arrayContaining(['1', '2'])
    for (const member of [one, other]) await expect.poll(() => member.ask({ entries: true })).toEqual(all)
    if (what === 'the socket') await rm(realpathSync(join(folder, '1')))
    else await rm(folder, { recursive: true })
    const late = await startMember(folder)
    await late.ask({ follow: [] })
    await expect.poll(() => late.ask({ entries: true }), { timeout: 10_000 }).toEqual(all)
  })

  it('I75 meet in no folder that others can enter', () => {
    const folder = folderOfTest()
    const open = join(folder, 'open')
    mkdirSync(open, { mode: 0o700 })
    expect(clusterStore({ folder: open })).toBeDefined()
    for (const mode of [0o701, 0o710, 0o770]) {
      chmodSync(open, mode)
      expect(() => clusterStore({ folder: open })).toThrow(ConfigurationError)
    }
    const link = join(folder, 'link')
    symlinkSync(tmpdir(), link)
    expect(() => clusterStore({ folder: link })).toThrow(ConfigurationError)
    expect(() => clusterStore({ folder: join(folder, 'x'.repeat(100)) })).toThrow('too long')
  })
})

describe('workers of node:cluster', { timeout }, () => {
  it('I76 C02 F02 have tickets, limits and revocations in common, and go on when the holder is killed', async () => {
    const node = { shared: { cluster: {} }, secret: '', maxConnections: 2 } as const
    const options: ClusterArguments = { workers: 3, node }
    const primary = await startChild(new URL('../nodes/cluster.ts', import.meta.url), {
      args: [JSON.stringify(options)],
    })
    const ports = (await primary.next()) as number[]
    const headers = (claims: object) => ({ authorization: `Bearer ${credentialOf(fresh(claims))}` })
    const issue = async (port: number) => (await post(port, '/ws/ticket', '', headers({}))).body as { ticket: string }
    const open = (port: number, ticket: string) => Client.open(`ws://127.0.0.1:${port}/ws?ticket=${ticket}`)
    for (const port of ports) {
      const { ticket } = await issue(port)
      const opened = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => open(ports[i % 3]!, ticket)))
      const winners = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      expect(winners).toHaveLength(1)
      for (const each of opened) if (each.status === 'rejected') expect(String(each.reason)).toContain('401')
      await winners[0]!.close()
    }
    const clients = []
    for (const port of ports) clients.push(await open(port, (await issue(port)).ticket))
    // Two places: the first has lost its own, on another worker.
    expect((await clients[0]!.closed).code).toBe(4009)
    const revoked = await post(ports[0]!, '/revoke', JSON.stringify({ user: 'ada' }))
    expect(revoked.body).toMatchObject({ confirmed: 3, nodes: 3 })
    for (const client of clients.slice(1)) expect((await client.closed).code).toBe(4010)
    await primary.ask('SIGKILL')
    const alive = async () => {
      const states = await Promise.all(ports.map((port) => post(port, '/state').catch(() => undefined)))
      return ports.filter((_, i) => states[i])
    }
    await expect.poll(alive).toHaveLength(2)
    const [one, other] = await alive()
    await expect
      .poll(async () => {
        const { ticket } = await issue(one!)
        const client = await open(other!, ticket).catch(() => undefined)
        await client?.close()
        return client !== undefined
      })
      .toBe(true)
    const old = { ...fresh(), issuedAt: Date.now() - keep }
    const refused = Client.open(`ws://127.0.0.1:${other}/ws`, {
      headers: { Authorization: `Bearer ${credentialOf(old)}` },
    })
    await expect(refused).rejects.toThrow('401')
  })
})
