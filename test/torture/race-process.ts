// One of the processes of `process-races.ts`. Says on stdout what it begins and what was acknowledged; it may be killed anywhere.
import { writeSync } from 'node:fs'
import { isVaultError, utf8 } from '@vault/core'
import { openVault } from '@vault/embedded'
import { seededNumbers } from './seeded-numbers.ts'

const [dir, worker, seed, count] = process.argv.slice(2) as [string, string, string, string]
const numbers = seededNumbers(Number(seed) * 64 + Number(worker))
const say = (...words: readonly string[]) => writeSync(1, `${words.join(' ')}\n`)

await using vault = await openVault(dir)
for (let i = 0; i < Number(count); i++) {
  const name = `${worker}-${numbers.below(6)}`
  const file = await vault.file(name)
  const kind = numbers.below(4)
  if (kind === 0) {
    const found = file && Buffer.concat(await Array.fromAsync(vault.read(file.object))).toString()
    say('read', name, found ?? '-')
    continue
  }
  const isRemoval = kind === 1 && file !== undefined
  const content = isRemoval ? '-' : `${name}.${seed}.${i}.${'x'.repeat(numbers.below(300))}`
  say('begin', name, content)
  try {
    if (isRemoval) await vault.remove([name])
    else {
      const bytes = utf8(content)
      const object = await vault.put(bytes)
      const fields = { size: bytes.length, mode: 0o100644 }
      await vault.commit({ entries: { put: [{ key: `path:${name}`, type: 'path', object, fields }] } })
    }
    say('done', name, content)
  } catch (error) {
    if (!isVaultError(error)) throw error
    say('refused', name, error.code)
  }
}
