import type { Bytes, ContentId, HashName } from '@vault/core'
import { codecOf, contentId, encode, isLink, link } from '@vault/core'
import { MAX_BLOCK_LENGTH } from './cas.ts'
import type { LinkedBlock } from './links.ts'
import type { Place } from './nesting.ts'
import { checkShape } from './nesting.ts'
import type { Fields } from './node.ts'
import { fieldsOf, isBetween, malformed } from './node.ts'

// The form is formats/file.md.

/** A stretch of content and the block that holds it, or the manifest of the blocks that do. */
export interface FilePart {
  readonly id: ContentId
  /** Bytes of content. */
  readonly size: number
}

/** Hashes of the whole content, as `b3sum` and `sha256sum` compute them. */
export interface FileDigests {
  readonly blake3: Bytes
  readonly sha256: Bytes
}

/** A manifest: content in order. */
export interface FileManifest {
  readonly size: number
  /** 0: the parts are raw blocks. Else they are manifests of the depth one less. */
  readonly depth: number
  readonly parts: readonly FilePart[]
}

/** The manifest of a whole file. Only a root has hashes. */
export interface FileRoot extends FileManifest {
  readonly digests: FileDigests
}

const DIGEST_LENGTH = 32

/** The block of a manifest, named with this hash. */
export function manifestBlock(manifest: FileManifest | FileRoot, hash: HashName): LinkedBlock {
  const { size, depth, parts } = manifest
  const digests = 'digests' in manifest ? manifest.digests : {}
  const cells = parts.map((part) => [link(part.id), part.size])
  const bytes = encode({ v: 1, type: 'file', size, depth, parts: cells, ...digests })
  const links = [...new Set(parts.map(({ id }) => id))]
  return { id: contentId(bytes, { hash, codec: 'dag-cbor' }), bytes, links }
}

/** A decoded block as the manifest of a whole file. Throws `CAS_MALFORMED`, `CAS_FORMAT`. */
export function parseRoot(id: ContentId, value: unknown): FileRoot {
  const fields = fieldsOf(id, value, { type: 'file', names: ['size', 'depth', 'parts', 'blake3', 'sha256'] })
  const manifest = parseParts(id, fields, undefined)
  if (manifest.parts.length < 2) throw malformed(id, 'it is a root of one part, which would be the file itself')
  const { blake3, sha256 } = fields
  if (!isDigest(blake3) || !isDigest(sha256)) throw malformed(id, `its hashes are not ${DIGEST_LENGTH} bytes long`)
  return { ...manifest, digests: { blake3, sha256 } }
}

/** A decoded block as the manifest that the one above describes. Throws `CAS_MALFORMED`, `CAS_FORMAT`. */
export function parseManifest(id: ContentId, value: unknown, above: Place & { readonly size: number }): FileManifest {
  const manifest = parseParts(id, fieldsOf(id, value, { type: 'file', names: ['size', 'depth', 'parts'] }), above)
  if (manifest.size !== above.size) throw malformed(id, `its size is not ${above.size}, which the manifest above says`)
  return manifest
}

function parseParts(id: ContentId, fields: Fields, place: Place | undefined): FileManifest {
  const { size, parts } = fields
  if (!Array.isArray(parts)) throw malformed(id, 'its parts are no list')
  const depth = checkShape(id, { depth: fields.depth, count: parts.length }, place)
  const parsed = parts.map((part: unknown) => parsePart(id, part, depth))
  const total = parsed.reduce((sum, part) => sum + part.size, 0)
  if (total !== size) throw malformed(id, 'its size is not the sum of its parts')
  return { size: total, depth, parts: parsed }
}

function parsePart(id: ContentId, part: unknown, depth: number): FilePart {
  const [to, size] = Array.isArray(part) && part.length === 2 ? (part as readonly unknown[]) : []
  // A part without content is refused: with it a short manifest could make a reader visit any number of blocks.
  if (!isLink(to) || !isBetween(size, 1)) throw malformed(id, 'a part of it is not a link and a size of at least 1')
  if (codecOf(to.id) !== (depth === 0 ? 'raw' : 'dag-cbor'))
    throw malformed(id, `its part ${to.id} has the wrong codec`)
  if (depth === 0 && size > MAX_BLOCK_LENGTH) throw malformed(id, `its part ${to.id} is longer than a block`)
  return { id: to.id, size }
}

function isDigest(value: unknown): value is Bytes {
  return value instanceof Uint8Array && value.length === DIGEST_LENGTH
}
