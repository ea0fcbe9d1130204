// One of the processes of `process-races.ts`. Says on stdout what it begins and what was acknowledged; it may be killed anywhere.
import { writeSync } from 'node:fs'
import { type ContentId, isVaultError, utf8 } from '@vault/core'
import { openVault, type VaultChange } from '@vault/embedded'
import { encodeEntry, entryValue } from '@vault/soup'
import { NOTHING, numberOf } from './race-model.ts'
import { seededNumbers } from './seeded-numbers.ts'

const [dir, worker, seed, count] = process.argv.slice(2) as [string, string, string, string]
const numbers = seededNumbers(Number(seed) * 64 + Number(worker))
const say = (...words: readonly (string | number)[]) => writeSync(1, `${words.join(' ')}\n`)

await using vault = await openVault(dir)

async function textOf(object: ContentId | undefined): Promise<string> {
  return object === undefined ? NOTHING : Buffer.concat(await Array.fromAsync(vault.read(object))).toString()
}

/** What makes a name stand for a content. */
async function changeTo(name: string, content: string): Promise<VaultChange> {
  const key = `path:${name}`
  if (content === NOTHING) return { entries: { remove: [key] } }
  const bytes = utf8(content)
  const object = await vault.put(bytes)
  return { entries: { put: [{ key, type: 'path', object, fields: { size: bytes.length, mode: 0o100644 } }] } }
}

async function set(name: string, content: string, expect: VaultChange['expect'] = {}): Promise<void> {
  say('begin', name, content)
  try {
    const { sequence } = await vault.commit({ ...(await changeTo(name, content)), expect })
    say('done', name, content, sequence)
  } catch (error) {
    if (!isVaultError(error)) throw error
    say('refused', name, content, error.code)
  }
}

/** Adds one to a counter, unless somebody else does meanwhile. */
async function countUp(name: string, mark: string): Promise<void> {
  const key = `path:${name}`
  const entry = await vault.soup.entry(key)
  const seen = entry === undefined ? null : Buffer.from(entryValue(encodeEntry(entry))).toString('hex')
  await set(name, `${numberOf(await textOf(entry?.object)) + 1}.${mark}`, { entries: { [key]: seen } })
}

for (let i = 0; i < Number(count); i++) {
  const mark = `${worker}.${seed}.${i}`
  const own = `${worker}-${numbers.below(6)}`
  const name = numbers.below(2) === 0 ? own : `shared-${numbers.below(3)}`
  switch (numbers.below(5)) {
    case 0:
      say('read', name, await textOf((await vault.file(name))?.object))
      break
    case 1:
      await set(name, NOTHING)
      break
    case 2:
      await countUp(`counter-${numbers.below(2)}`, mark)
      break
    default:
      await set(name, `${mark}.${'x'.repeat(numbers.below(300))}`)
  }
}
