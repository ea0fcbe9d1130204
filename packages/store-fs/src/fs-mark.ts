import { dirname } from 'node:path'
import type { HighWaterMark } from '@vault/audit-chain'
import { decodeMark, encodeMark } from '@vault/audit-chain'
import type { Random } from '@vault/core'
import { systemRandom, toHex } from '@vault/core'
import { makeFolder, writeDurably } from './durable.ts'
import type { Fs } from './fs.ts'
import { errorCode, readFully } from './fs.ts'
import { nodeFs } from './node-fs.ts'
import { logReadFailed, logWriteFailed } from './system-refusal.ts'

/** Longer files are no marks; what is read of them fails its checksum. */
const MAX_LENGTH = 4096

/**
 * A high-water mark in a file, outside the vault that it is of. It is replaced whole and has a checksum, so that a loss of power leaves
 * the old or the new one, and anything else is known as damage and never taken for another history.
 */
export function openFsMark(
  path: string,
  { fs = nodeFs, random = systemRandom }: { readonly fs?: Fs; readonly random?: Random } = {},
): HighWaterMark {
  return {
    async read(options) {
      options?.signal?.throwIfAborted()
      const bytes = await readBeginning(fs, path).catch((error: unknown) => {
        throw logReadFailed(path, error)
      })
      return bytes && decodeMark(bytes, path)
    },
    async write(mark, options) {
      options?.signal?.throwIfAborted()
      const bytes = encodeMark(mark)
      try {
        await makeFolder(fs, dirname(path))
        await writeDurably(fs, path, `${path}.${toHex(random(8))}.tmp`, bytes)
      } catch (error) {
        throw logWriteFailed(path, error)
      }
    },
  }
}

async function readBeginning(fs: Fs, path: string): Promise<Uint8Array | undefined> {
  try {
    const file = await fs.open(path, 'read')
    try {
      const bytes = new Uint8Array(MAX_LENGTH)
      return bytes.subarray(0, await readFully(file, bytes, 0))
    } finally {
      await file.close()
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
