import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hashBytes, type KeyId, toHex, utf8 } from '@vault/core'
import { CHECKSUM_FILE } from './checksums.ts'
import { writeDurably } from './durable-file.ts'
import { PLACE_FILE, placeFileText } from './place.ts'

/**
 * Writes `vault.json` anew where it is damaged or gone: it says an instance id, which the marks outside the place know too, and the
 * place's key, which lies in it. Only the very bytes that the checksums vouch for are written. Says whether it did.
 */
export async function healPlaceFile(dir: string, stateDir: string | undefined): Promise<boolean> {
  const expected = await listedHash(dir)
  if (expected === undefined || stateDir === undefined) return false
  if (expected === (await readFile(join(dir, PLACE_FILE)).then(hashOf, () => undefined))) return false
  const instances = (await namesIn(join(stateDir, 'marks'))).filter((name) => /^[0-9a-f]{32}$/.test(name))
  for (const file of await namesIn(join(dir, 'keys'))) {
    const name = /^place-(z\w+)\.key$/.exec(file)?.[1]
    if (name === undefined) continue
    for (const instance of instances) {
      const text = placeFileText({ instance, key: `ed25519:${name}` as KeyId })
      if (hashOf(utf8(text)) !== expected) continue
      await writeDurably(join(dir, PLACE_FILE), text)
      return true
    }
  }
  return false
}

async function listedHash(dir: string): Promise<string | undefined> {
  const list = await readFile(join(dir, CHECKSUM_FILE), 'latin1').catch(() => '')
  const line = list.split('\n').find((listed) => listed.slice(66) === PLACE_FILE)
  return line === undefined ? undefined : /^([0-9a-f]{64}) {2}/.exec(line)?.[1]
}

function hashOf(bytes: Uint8Array): string {
  return toHex(hashBytes('sha2-256', bytes))
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch(() => [])
}
