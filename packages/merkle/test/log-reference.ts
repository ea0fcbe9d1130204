import { hash } from 'node:crypto'
import type { Bytes } from '@vault/core'

/** The definitions of RFC 6962, 2.1, word for word over the leaves' data: slow, and nothing shared with the package. */
export function treeHash(data: readonly Uint8Array[]): Bytes {
  const [only] = data
  if (only === undefined) return sha256()
  if (data.length === 1) return sha256(new Uint8Array([0]), only)
  const k = split(data.length)
  return sha256(new Uint8Array([1]), treeHash(data.slice(0, k)), treeHash(data.slice(k)))
}

export function auditPath(m: number, data: readonly Uint8Array[]): Bytes[] {
  if (data.length === 1) return []
  const k = split(data.length)
  const [left, right] = [data.slice(0, k), data.slice(k)]
  return m < k ? [...auditPath(m, left), treeHash(right)] : [...auditPath(m - k, right), treeHash(left)]
}

export function consistencyProof(m: number, data: readonly Uint8Array[]): Bytes[] {
  return subproof(m, data, true)
}

function subproof(m: number, data: readonly Uint8Array[], known: boolean): Bytes[] {
  if (m === data.length) return known ? [] : [treeHash(data)]
  const k = split(data.length)
  const [left, right] = [data.slice(0, k), data.slice(k)]
  return m <= k ? [...subproof(m, left, known), treeHash(right)] : [...subproof(m - k, right, false), treeHash(left)]
}

/** The largest power of two below a number greater than one. */
function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

export function sha256(...parts: Uint8Array[]): Bytes {
  return new Uint8Array(hash('sha256', Buffer.concat(parts), 'buffer'))
}
