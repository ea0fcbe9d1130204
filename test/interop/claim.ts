import {
  entriesPath,
  openCheckpoint,
  parseNote,
  parseVkey,
  tilePath,
  verifyNote,
  verifyTlogProof,
} from '@vault/audit-chain'
import { isVaultError } from '@vault/core'
import { verifyConsistency, verifyInclusion } from '@vault/merkle'

/** A statement with all that is needed to judge it; bytes in base64. */
export type Claim = RecordClaim | TreeClaim | FileClaim | ProofClaim | PathClaim

/** The log of this size and root has the leaf hash at an index. */
export interface RecordClaim {
  readonly kind: 'record'
  readonly size: number
  readonly root: string
  readonly index: number
  readonly leaf: string
  readonly proof: readonly string[]
}

/** The log at `to` begins with that at `from`. */
export interface TreeClaim {
  readonly kind: 'tree'
  readonly from: number
  readonly to: number
  readonly fromRoot: string
  readonly toRoot: string
  readonly proof: readonly string[]
}

/** The key has signed this note; a checkpoint is also of the log that has the key's name. */
export interface FileClaim {
  readonly kind: 'note' | 'checkpoint'
  readonly vkey: string
  readonly file: string
}

/** By this file the log of the key holds the data. */
export interface ProofClaim {
  readonly kind: 'proof'
  readonly vkey: string
  readonly file: string
  readonly data: string
}

/** That is the path of a tile; those of level -1 are entries. */
export interface PathClaim {
  readonly kind: 'path'
  readonly level: number
  readonly index: number
  readonly width: number
  readonly path: string
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Why the claim does not hold for our packages; empty where it does. Whatever else they throw is thrown. */
export function judge(claim: Claim): string {
  try {
    return judgeOrThrow(claim)
  } catch (error) {
    if (!isVaultError(error)) throw error
    return error.code
  }
}

function judgeOrThrow(claim: Claim): string {
  switch (claim.kind) {
    case 'record': {
      const { size, index } = claim
      const [root, leaf] = [fromBase64(claim.root), fromBase64(claim.leaf)]
      verifyInclusion({ size, index, root, leaf }, claim.proof.map(fromBase64))
      return ''
    }
    case 'tree': {
      const { from, to } = claim
      const [fromRoot, toRoot] = [fromBase64(claim.fromRoot), fromBase64(claim.toRoot)]
      verifyConsistency({ from, to, fromRoot, toRoot }, claim.proof.map(fromBase64))
      return ''
    }
    case 'note':
      return verifyNote(parseNote(fromBase64(claim.file)), [parseVkey(claim.vkey)]).length > 0 ? '' : 'not signed'
    case 'checkpoint': {
      const key = parseVkey(claim.vkey)
      openCheckpoint(fromBase64(claim.file), { origin: key.name, keys: [key] })
      return ''
    }
    case 'proof': {
      const key = parseVkey(claim.vkey)
      verifyTlogProof(fromBase64(claim.file), { leaf: fromBase64(claim.data), origin: key.name, keys: [key] })
      return ''
    }
    case 'path': {
      const { level, index, width } = claim
      const path = level < 0 ? entriesPath(index, width) : tilePath(level, index, width)
      return path === claim.path ? '' : `the path is ${path}`
    }
  }
}
