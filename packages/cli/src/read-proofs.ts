import type { Bytes } from '@vault/core'
import { concatBytes } from '@vault/core'
import { UsageError } from './exit-code.ts'

const LIMIT = 32 * 1024

/** Certificates and validations in files, as "vaultctl caps issue --out" and "caps validate --out" write them. Throws `FILE_UNREADABLE`, and a `UsageError` for what is none. */
export async function readProofFiles(files: readonly string[]): Promise<readonly Bytes[]> {
  const { readPiecesOf, readProofs } = await import('@vault/embedded')
  const { isVaultError } = await import('@vault/core')
  const proofs: Bytes[] = []
  for (const file of files) {
    const pieces: Uint8Array[] = []
    let length = 0
    for await (const piece of readPiecesOf(file)) {
      pieces.push(piece)
      length += piece.length
      if (length > LIMIT) throw noProof(file)
    }
    const bytes = concatBytes(...pieces)
    try {
      readProofs([bytes])
    } catch (error) {
      throw isVaultError(error) ? noProof(file) : error
    }
    proofs.push(bytes)
  }
  return proofs
}

function noProof(file: string): UsageError {
  return new UsageError(
    `--proof takes files that "vaultctl caps issue --out" or "caps validate --out" wrote; ${file} is none.`,
  )
}
