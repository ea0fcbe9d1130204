import { spawn } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditEntry } from '@vault/audit-chain'
import { type ContentId, decode, type Link } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { createVault, nameFromPath, openVault, type Vault } from '../src/index.ts'
import { scratch } from './scratch.ts'

const plain = { passphrase: undefined }
const bytes = (text: string) => new TextEncoder().encode(text)

async function entriesOf(dir: string): Promise<readonly AuditEntry[]> {
  await using vault = await openVault(dir, { mode: 'read' })
  const found: AuditEntry[] = []
  for await (const page of (await vault.log.read()).entries()) found.push(...page.map(({ entry }) => entry))
  return found
}

const listsOf = ({ action }: AuditEntry) => (action.parameters?.lists ?? []) as readonly Link[]

const said = ({ action }: AuditEntry) => [action.verb, action.object]

/** What the lists of an entry say. */
async function listed(vault: Vault, entry: AuditEntry): Promise<readonly (readonly unknown[])[]> {
  const items: (readonly unknown[])[] = []
  for (const { id } of listsOf(entry)) {
    expect(await vault.soup.holds([id])).toEqual([true])
    const list = decode((await vault.objects.get(id)) as Uint8Array) as { items: readonly (readonly unknown[])[] }
    items.push(...list.items)
  }
  return items
}

async function findingsOf(dir: string): Promise<readonly unknown[]> {
  await using vault = await openVault(dir, { mode: 'read' })
  const findings: unknown[] = []
  for await (const step of vault.log.verify()) findings.push(...step.findings)
  return findings
}

describe('the log of a vault', () => {
  test('begins with its making', async () => {
    await using space = await scratch()
    const clock = () => new Date('2026-01-02T03:04:05.678Z')
    const id = await createVault(space.at('v'), { ...plain, clock })
    expect(await entriesOf(space.at('v'))).toEqual([
      {
        type: 'audit',
        v: 1,
        seq: 0,
        prev: null,
        time: 1767323045,
        actor: { name: 'owner', proven: false },
        action: { verb: 'vault-init', object: `vault:${id}`, parameters: { inception: expect.anything() } },
        key: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    ])
  })

  test('has one entry for each change, with who, what and why', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    const vaultId = await createVault(dir, plain)
    await mkdir(space.at('photos/old'), { recursive: true })
    for (const name of ['a', 'b', 'old/c']) await writeFile(space.at('photos', name), name)
    const photos = nameFromPath(space.at('photos'))
    let block: ContentId | undefined
    {
      await using vault = await openVault(dir, { actor: { name: 'ann' } })
      block = await vault.put(bytes('one block'), { motivation: 'to try', key: 'k1' })
      await Array.fromAsync(vault.putFiles([space.at('photos')], { motivation: 'holidays' }))
      await vault.remove([`${photos}/a`])
      await vault.removeFolder(photos)
      await vault.commit({ refs: { head: block } })
    }
    const entries = await entriesOf(dir)
    expect(entries.map(said)).toEqual([
      ['vault-init', `vault:${vaultId}`],
      ['put', `obj:${block}`],
      ['put', `path:${photos}/`],
      ['remove', `path:${photos}/a`],
      ['remove', `path:${photos}/`],
      ['commit', 'ref:head'],
    ])
    const [, put, batch, removed, folder, commit] = entries
    expect(put).toMatchObject({ actor: { name: 'ann', proven: true }, key: 'k1', context: { motivation: 'to try' } })
    expect(put?.action.parameters).toEqual({ objects: 1, bytes: 9 })
    expect(batch).toMatchObject({ context: { motivation: 'holidays' } })
    expect(batch?.action.parameters).toMatchObject({ objects: 3, entries: 3, bytes: 7 })
    expect(removed?.action.parameters).toMatchObject({ removed: 1, released: 1, content: { id: expect.any(String) } })
    expect(folder?.action.parameters).toMatchObject({ removed: 2, released: 2 })
    expect(commit?.action.parameters).toEqual({ refs: 1 })
    await using vault = await openVault(dir, { mode: 'read' })
    const items = await listed(vault, batch as AuditEntry)
    expect(items.filter(([kind]) => kind === 'put').map(([, key]) => key)).toEqual(
      expect.arrayContaining(['a', 'b', 'old/c'].map((name) => `path:${photos}/${name}`)),
    )
    expect(items.filter(([kind]) => kind === 'add')).toHaveLength(3)
    expect((await listed(vault, folder as AuditEntry)).map(([kind]) => kind)).toEqual([
      'remove',
      'remove',
      'release',
      'release',
    ])
    expect(await findingsOf(dir)).toEqual([])
  })

  test('says of each batch what is in it, in blocks of at most a mebibyte', { timeout: 120_000 }, async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    const long = 'n'.repeat(240)
    {
      await using vault = await openVault(dir)
      const object = await vault.put(bytes('x'))
      const put = Array.from({ length: 9000 }, (_, i) => ({
        key: `path:${long}/${i}`,
        type: 'path',
        object,
        fields: { size: 1, mode: 0o100644 },
      }))
      await vault.commit({ entries: { put } })
    }
    const entry = (await entriesOf(dir)).at(-1) as AuditEntry
    expect(said(entry)).toEqual(['commit', `path:${long}/`])
    await using vault = await openVault(dir, { mode: 'read' })
    expect(listsOf(entry)).toHaveLength(3)
    for (const { id } of listsOf(entry)) {
      expect((await vault.objects.get(id))?.length).toBeLessThanOrEqual(1024 * 1024)
    }
    expect((await listed(vault, entry)).map(([, key]) => key)).toEqual(
      Array.from({ length: 9000 }, (_, i) => `path:${long}/${i}`),
    )
  })

  test('has nothing of a change that was refused', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    {
      await using vault = await openVault(space.at('v'))
      const change = { expect: { refs: { head: vault.id } }, entries: { remove: ['path:a', 'path:b'] } }
      await expect(vault.commit(change)).rejects.toMatchObject({ code: 'SOUP_CONFLICT' })
    }
    expect((await entriesOf(space.at('v'))).map(said)).toHaveLength(1)
  })

  test('is filled by many changes at once, in the order of the changes', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    {
      await using vault = await openVault(space.at('v'))
      await Promise.all(Array.from({ length: 300 }, (_, i) => vault.put(bytes(`${i}`), { key: `k${i}` })))
      await vault.log.drain()
      expect((await vault.status()).log).toEqual({ size: 301, waiting: 0 })
    }
    const keys = (await entriesOf(space.at('v'))).slice(1).map(({ key }) => key)
    expect(new Set(keys).size).toBe(300)
    const checkpoints = await readdir(await logDir(space.at('v'), 'checkpoints'))
    expect(checkpoints.length).toBeLessThan(150)
    expect(await findingsOf(space.at('v'))).toEqual([])
  })

  test('is never written by who reads', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'), { mode: 'read' })
    await expect(vault.log.drain()).rejects.toMatchObject({ code: 'AUDIT_READ_ONLY' })
  })

  test('is scrubbed with the vault, and what it names too', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    {
      await using vault = await openVault(dir)
      await vault.commit({ entries: { remove: ['path:a', 'path:b'] } })
    }
    const scrub = async () => {
      await using vault = await openVault(dir, { mode: 'read' })
      const events = await Array.fromAsync(vault.scrub())
      return events.at(-1)
    }
    expect(await scrub()).toMatchObject({ ok: true, entries: 2, objects: 0 })
    const bundle = await logDir(dir, 'tile/entries/000.p/2')
    await writeFile(bundle, 'something else')
    const vault = (await readdir(join(dir, 'log')))[0]
    expect(await scrub()).toMatchObject({ ok: false })
    const report = (await scrub()) as { damaged: readonly { subject: string }[] }
    expect(report.damaged.map(({ subject }) => subject)).toContain(`log/${vault}/tile/entries/000.p/2`)
  })

  test('the lists that it names are scrubbed as well', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    {
      await using vault = await openVault(dir)
      await vault.commit({ entries: { remove: ['path:a', 'path:b'] } })
    }
    for (const name of await readdir(join(dir, 'objects')))
      if (name.endsWith('.pack')) await rm(join(dir, 'objects', name))
    await using vault = await openVault(dir, { mode: 'read' })
    const report = (await Array.fromAsync(vault.scrub())).at(-1)
    const [list] = listsOf((await entriesOf(dir)).at(-1) as AuditEntry)
    expect(report).toMatchObject({ ok: false, objects: 0 })
    expect(report).toMatchObject({ damaged: expect.arrayContaining([expect.objectContaining({ subject: list?.id })]) })
  })
})

async function logDir(dir: string, ...below: readonly string[]): Promise<string> {
  const [vault] = await readdir(join(dir, 'log'))
  return join(dir, 'log', vault as string, ...below)
}

describe('crashes and rivals', () => {
  const program = (body: string) =>
    `import { openVault } from ${JSON.stringify(join(import.meta.dirname, '../src/index.ts'))}
    const bytes = (text) => new TextEncoder().encode(text)
    ${body}`
  const start = (body: string, ...args: readonly string[]) => {
    const child = spawn(
      process.execPath,
      ['--conditions=@vault/source', '--input-type=module', '-e', program(body), ...args],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    )
    return new Promise<NodeJS.Signals | number | null>((done) =>
      child.once('close', (code, signal) => done(signal ?? code)),
    )
  }

  test('what a killed process committed and did not write, the next writer writes, once', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    // The process dies in the first flush of the log: after the commit, before anything of the entry is published.
    const ended = await start(
      `const vault = await openVault(process.argv[1])
      const kill = () => process.kill(process.pid, 'SIGKILL')
      vault.log.wake = kill
      await vault.put(bytes('durable'), { key: 'the only one' })`,
      dir,
    )
    expect(ended).toBe('SIGKILL')
    expect(await entriesOf(dir)).toHaveLength(1)
    {
      await using vault = await openVault(dir, { mode: 'read' })
      expect((await vault.status()).log).toEqual({ size: 1, waiting: 1 })
    }
    expect(await entriesOf(dir)).toHaveLength(1)
    for (let i = 0; i < 2; i++) await (await openVault(dir))[Symbol.asyncDispose]()
    expect((await entriesOf(dir)).map(({ key }) => key).slice(1)).toEqual(['the only one'])
    expect(await findingsOf(dir)).toEqual([])
  })

  test('a process killed anywhere leaves each of its changes with one entry', { timeout: 120_000 }, async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    for (let round = 0; round < 8; round++) {
      const ended = await start(
        `const vault = await openVault(process.argv[1])
        setTimeout(() => process.kill(process.pid, 'SIGKILL'), 20 + ${round} * 17)
        for (let i = 0; ; i++) await vault.put(bytes('${round}/' + i), { key: '${round}/' + i })`,
        dir,
      )
      expect(ended).toBe('SIGKILL')
    }
    {
      await using vault = await openVault(dir)
      const { tenure, log } = await vault.status()
      expect(log).toEqual({ size: tenure.sequence + 1, waiting: 0 })
      expect(tenure.sequence).toBeGreaterThan(20)
    }
    const keys = (await entriesOf(dir)).slice(1).map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
    expect(await findingsOf(dir)).toEqual([])
  })

  test('two processes that change one vault make one unbroken log', { timeout: 120_000 }, async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    const body = `await using vault = await openVault(process.argv[1])
      for (let i = 0; i < 150; i++) await vault.put(bytes(process.argv[2] + i), { key: process.argv[2] + i })`
    expect(await Promise.all([start(body, dir, 'a'), start(body, dir, 'b')])).toEqual([0, 0])
    const keys = (await entriesOf(dir)).slice(1).map(({ key }) => key)
    const expected = ['a', 'b'].flatMap((name) => Array.from({ length: 150 }, (_, i) => `${name}${i}`))
    expect(keys.toSorted()).toEqual(expected.toSorted())
    expect(await findingsOf(dir)).toEqual([])
  })
})
