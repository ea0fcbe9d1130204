import { join } from 'node:path'
import { forkEvidence, openHead, type TrailReader } from '@vault/audit-chain'
import { type AbortOptions, type Bytes, type Finding, fromUtf8, hashBytes, toHex, utf8 } from '@vault/core'
import type { Tenure } from '@vault/soup'
import { openFsLogStore } from '@vault/store-fs'
import type { StandingParts } from './check-standing.ts'
import { createFolder, writeDurably } from './durable-file.ts'
import type { Seen } from './marks.ts'

/** What was met instead of what had been seen. */
export interface Found {
  readonly tenure: Tenure
  readonly trail: TrailReader | undefined
}

/**
 * Writes down outside the place what was seen before and what was found, with both signed checkpoints; and, for two histories, the proof
 * that a stranger can check (`verifyEvidence` of `@vault/audit-chain`). The same find is the same file. Returns its path;
 * `undefined` where the system refuses.
 */
export async function writeEvidence(
  parts: StandingParts,
  what: {
    readonly code: string
    readonly findings: readonly Finding[]
    readonly found: Found
    readonly seen: Seen | undefined
  },
  options: AbortOptions,
): Promise<string | undefined> {
  const { vault, instance, marks } = parts
  const { code, findings, found, seen } = what
  const { epoch, sequence } = found.tenure
  const proof = await proofOf(parts, found, seen, options)
  const text = `${JSON.stringify(
    {
      format: 'vault-evidence',
      version: 1,
      code,
      vault,
      instance,
      findings,
      seen: seen && { ...plainMark(seen.mark), checkpoint: textOf(seen.checkpoint) },
      found: {
        epoch,
        sequence,
        ...(found.trail && { size: found.trail.size, root: toHex(found.trail.root) }),
        checkpoint: textOf(found.trail?.checkpoint),
      },
      fork_evidence: proof && Buffer.from(proof).toString('base64'),
    },
    null,
    2,
  )}\n`
  const dir = join(marks?.stateDir ?? '', 'evidence')
  const path = join(dir, `${instance}-${toHex(hashBytes('sha2-256', utf8(text)).subarray(0, 8))}.json`)
  try {
    await createFolder(dir, 0o700)
    await writeDurably(path, text)
    return path
  } catch {
    return undefined
  }
}

/** That the log signed both, where it did. */
async function proofOf(
  { log }: StandingParts,
  { trail }: Found,
  seen: Seen | undefined,
  options: AbortOptions,
): Promise<Bytes | undefined> {
  const notes = [seen?.checkpoint, trail?.checkpoint]
  const [first, second] = notes
  if (first === undefined || second === undefined) return undefined
  try {
    const identity = await log.identity(options)
    const store = await openFsLogStore({ dir: log.dir, mode: 'read' }, options)
    const { tiles: larger } = await openHead(store, second, identity, options)
    return await forkEvidence({ notes: [first, second], larger }, identity, options)
  } catch {
    // Both can be true, as for a copy that is only old; or the larger tree is the one that is not here.
    return undefined
  }
}

function plainMark({ epoch, sequence, size, root }: Seen['mark']): Readonly<Record<string, unknown>> {
  return { epoch, sequence, size, root: toHex(root) }
}

function textOf(note: Bytes | undefined): string | undefined {
  return note && fromUtf8(note)
}
