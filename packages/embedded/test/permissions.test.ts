import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkChecksums } from '../src/checksums.ts'
import { createVault, lookAtTarget, openTarget, openVault } from '../src/index.ts'
import { filledVault, scratch } from './scratch.ts'

// No permission stops the superuser. This file has a process of its own, which can give its rights away.
if (process.getuid?.() === 0) {
  process.setgid?.(65534)
  process.setuid?.(65534)
}

test('works where nothing may be written, with hashes to keep too', async () => {
  await using space = await scratch()
  await filledVault(space.at('v'))
  for (const name of ['objects', 'soup.sqlite', ''])
    await chmod(space.at('v', name), name === 'soup.sqlite' ? 0o400 : 0o500)
  for (const keepHashes of [false, true]) {
    await using vault = await openVault(space.at('v'), { mode: 'read', keepHashes })
    expect((await vault.roots()).counts.objects).toBe(20)
  }
  await expect(openVault(space.at('v'))).rejects.toMatchObject({ code: 'VAULT_INACCESSIBLE' })
  await expect(openTarget(space.at('v'))).rejects.toMatchObject({ code: 'VAULT_INACCESSIBLE' })
  for (const name of ['', 'objects']) await chmod(space.at('v', name), 0o700)
})

test.each([['vault.json'], ['soup.sqlite'], ['objects'], ['objects/index']])(
  'a %s that may not be read',
  async (name) => {
    await using space = await scratch()
    await filledVault(space.at('v'))
    await mkdir(space.at('v/objects/index'), { recursive: true })
    await chmod(space.at('v', name), 0)
    for (const mode of ['read', 'write'] as const)
      await expect(openVault(space.at('v'), { mode })).rejects.toMatchObject({
        code: 'VAULT_INACCESSIBLE',
        details: { path: join(space.at('v'), name), errno: 'EACCES' },
      })
    await expect(lookAtTarget(space.at('v'))).rejects.toMatchObject({ code: 'VAULT_INACCESSIBLE' })
    await chmod(space.at('v', name), 0o700)
  },
)

test.each([[''], ['soup.sqlite'], ['objects']])('at opening, a vault whose %j may not be written', async (name) => {
  await using space = await scratch()
  await filledVault(space.at('v'))
  await chmod(space.at('v', name), 0o500)
  await expect(openVault(space.at('v'))).rejects.toMatchObject({ code: 'VAULT_INACCESSIBLE' })
  await chmod(space.at('v', name), 0o700)
})

test('keys that may not be read are unreadable, not missing', async () => {
  await using space = await scratch()
  const dir = space.at('v')
  await createVault(dir, { passphrase: undefined })
  await chmod(join(dir, 'keys'), 0)
  const findings = await checkChecksums(dir)
  await chmod(join(dir, 'keys'), 0o700)
  expect(findings.map(({ subject }) => subject)).toEqual(['keys'])
  expect(findings[0]?.message).toContain('EACCES')
})
