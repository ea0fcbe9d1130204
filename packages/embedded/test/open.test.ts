import { cp, rm, writeFile } from 'node:fs/promises'
import { contentId, utf8 } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { createVault, lookAtTarget, openTarget, openVault } from '../src/index.ts'
import { filledVault, scratch, snapshot } from './scratch.ts'

describe('reading', () => {
  test('leaves the folder as it was, byte for byte', async () => {
    await using space = await scratch()
    await filledVault(space.at('v'))
    const before = await snapshot(space.at('v'))
    {
      await using vault = await openVault(space.at('v'), { mode: 'read' })
      await vault.roots()
      await vault.status()
      for await (const event of vault.scrub()) if (event.type === 'report') expect(event.ok).toBe(true)
      await using target = await lookAtTarget(space.at('v'))
      await target.look(vault.id)
    }
    expect(await snapshot(space.at('v'))).toEqual(before)
  })

  test('takes nothing from a writer that goes on', async () => {
    await using space = await scratch()
    await filledVault(space.at('v'))
    await using writer = await openVault(space.at('v'))
    {
      await using reader = await openVault(space.at('v'), { mode: 'read' })
      await reader.status()
    }
    const id = await writer.put(new TextEncoder().encode('later'))
    await using reader = await openVault(space.at('v'), { mode: 'read' })
    expect((await reader.status()).objects).toBe(21)
    expect(await reader.get(id)).toEqual(new TextEncoder().encode('later'))
  })

  test('leaves the log of a writer that was killed as it is', async () => {
    await using space = await scratch()
    await filledVault(space.at('v'))
    {
      await using writer = await openVault(space.at('v'))
      await writer.put(utf8('in the log'))
      await cp(space.at('v'), space.at('killed'), { recursive: true })
    }
    const { 'soup.sqlite-shm': _, ...before } = await snapshot(space.at('killed'))
    {
      await using reader = await openVault(space.at('killed'), { mode: 'read' })
      expect((await reader.status()).objects).toBe(21)
    }
    const { 'soup.sqlite-shm': __, ...after } = await snapshot(space.at('killed'))
    expect(after).toEqual(before)
  })

  test('keeps hashes only where told to, and changes nothing else', async () => {
    await using space = await scratch()
    await filledVault(space.at('v'))
    {
      await using vault = await openVault(space.at('v'))
      // Of the bytes there are hashes only: enough of them for a tree that is worth keeping.
      const members = Array.from({ length: 3000 }, (_, i) => ({ id: contentId(utf8(`${i}`)), size: 4, links: [] }))
      await vault.commit({ objects: { add: members } })
    }
    const before = await snapshot(space.at('v'))
    const roots = async (keepHashes: boolean) => {
      await using vault = await openVault(space.at('v'), { mode: 'read', keepHashes })
      await expect(vault.place.objects.put(new Uint8Array(1))).rejects.toMatchObject({ code: 'CAS_WRITE_FAILED' })
      return (await vault.roots()).roots
    }
    const first = await roots(true)
    const { 'soup.sqlite': kept, ...others } = await snapshot(space.at('v'))
    const { 'soup.sqlite': unkept, ...othersBefore } = before
    expect(others).toEqual(othersBefore)
    expect(kept).not.toEqual(unkept)
    expect(await roots(false)).toEqual(first)
  })
})

describe('what the system refuses', () => {
  test('a file instead of a folder', async () => {
    await using space = await scratch()
    await writeFile(space.at('a.txt'), 'text')
    await expect(openVault(space.at('a.txt'))).rejects.toMatchObject({ code: 'VAULT_NOT_FOUND' })
    for (const open of [openTarget, lookAtTarget, (dir: string) => createVault(dir, { passphrase: undefined })])
      for (const path of [space.at('a.txt'), space.at('a.txt/below')])
        await expect(open(path)).rejects.toMatchObject({ code: 'VAULT_INACCESSIBLE', details: { errno: 'ENOTDIR' } })
  })

  test('a database that is missing is not called inaccessible', async () => {
    await using space = await scratch()
    await filledVault(space.at('v'))
    await rm(space.at('v/soup.sqlite'))
    await expect(openVault(space.at('v'))).rejects.toMatchObject({ code: 'SOUP_FORMAT' })
  })
})

describe('a place with several vaults', () => {
  test('opens the one that is chosen among their tenures, and no vault that is not there', async () => {
    await using space = await scratch()
    const own = await createVault(space.at('v'), { passphrase: undefined })
    const other = await createVault(space.at('other'), { passphrase: undefined })
    {
      await using vault = await openVault(space.at('v'))
      await using from = await openVault(space.at('other'), { mode: 'read' })
      const keyEvents = await from.place.soups.tenures.keyEvents(other)
      const { tenures } = vault.place.soups
      const to = { state: 'receiving', epoch: 0, migration: 'm1', keyEvents } as const
      await tenures.transition(other, { state: 'none', epoch: 0 }, to)
      await tenures.transition(other, { state: 'receiving', epoch: 0 }, { state: 'prepared', epoch: 0 })
    }
    const prepared = await openVault(space.at('v'), {
      choose: (tenures) => tenures.find(({ state }) => state === 'prepared')?.vault,
    })
    expect(prepared.id).toBe(other)
    await prepared[Symbol.asyncDispose]()
    const usual = await openVault(space.at('v'), { choose: () => undefined })
    expect(usual.id).toBe(own)
    await usual[Symbol.asyncDispose]()
    await expect(openVault(space.at('other'), { choose: () => own })).rejects.toMatchObject({ code: 'VAULT_NOT_FOUND' })
  })
})
