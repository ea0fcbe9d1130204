import type { Bytes } from '@vault/core'
import { concatBytes, decode, encode, equalBytes, hasFields, hashBytes } from '@vault/core'
import type { Mark } from './mark.ts'
import { checkMarkShape, damagedMark } from './mark.ts'

const HASH_LENGTH = 32
const MAX_LENGTH = 1024

/** A mark as bytes: DAG-CBOR, and its SHA-256 so that a torn or changed file is known as one (formats/audit-log.md). */
export function encodeMark(mark: Mark): Bytes {
  checkMarkShape(mark)
  const { epoch, sequence, size, root } = mark
  const body = encode({ type: 'high-water-mark', v: 1, epoch, sequence, size, root })
  return concatBytes(body, hashBytes('sha2-256', body))
}

/** The mark of bytes of any origin; `where` names them in the error. Throws `AUDIT_MARK_DAMAGED`, and nothing else. */
export function decodeMark(bytes: Uint8Array, where: string): Mark {
  const body = bytes.subarray(0, Math.max(0, bytes.length - HASH_LENGTH))
  if (bytes.length > MAX_LENGTH || !equalBytes(hashBytes('sha2-256', body), bytes.subarray(body.length))) {
    throw damagedMark(where)
  }
  try {
    const value = decode(body)
    if (!hasFields(value, 'type', 'v', 'epoch', 'sequence', 'size', 'root')) throw damagedMark(where)
    const { type, v, ...mark } = value
    if (type !== 'high-water-mark' || v !== 1 || !(mark.root instanceof Uint8Array)) throw damagedMark(where)
    checkMarkShape(mark as Mark)
    return mark as Mark
  } catch (cause) {
    throw damagedMark(where, cause)
  }
}
