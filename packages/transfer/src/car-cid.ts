import { type ContentId, ID_LENGTH, idFromBytes, toHex, VaultError } from '@vault/core'
import { invalidCar } from './car-error.ts'
import type { TransferErrorCode } from './error.ts'
import { decodeVarint } from './varint.ts'

/** Names that users of other software know: https://github.com/multiformats/multicodec. */
const CODECS: Readonly<Record<number, string>> = { 85: 'raw', 112: 'dag-pb', 113: 'dag-cbor', 297: 'dag-json' }
const HASHES: Readonly<Record<number, string>> = {
  0: 'identity',
  17: 'sha1',
  18: 'sha2-256',
  19: 'sha2-512',
  30: 'blake3',
}
const CID_V0_LENGTH = 34

/** A CID that stands at the beginning of some bytes. */
interface FoundCid {
  readonly codec: number
  readonly hash: number
  readonly digest: number
  readonly end: number
}

/**
 * The id that a section of a CAR begins with; the block is what follows its 36 bytes. Throws `TRANSFER_CAR_FOREIGN` for
 * another CID, `TRANSFER_CAR_INVALID` for none.
 */
export function sectionId(section: Uint8Array, offset: number): ContentId {
  const found = findCid(section)
  if (found === undefined) throw invalidCar('a section does not begin with a CID', { offset })
  return ownId(section.subarray(0, found.end), found)
}

/** The CIDs in a header that is not in our form, to name a foreign one. Throws `TRANSFER_CAR_FOREIGN`, or nothing. */
export function refuseForeignRoots(header: Uint8Array): void {
  // A link in DAG-CBOR: tag 42, a byte string of less than 256 bytes, a zero byte.
  for (let at = 0; at + 5 < header.length; at++) {
    if (header[at] !== 0xd8 || header[at + 1] !== 42 || header[at + 2] !== 0x58 || header[at + 4] !== 0) continue
    const cid = header.subarray(at + 5, at + 4 + (header[at + 3] as number))
    const found = findCid(cid)
    if (found?.end === cid.length) ownId(cid, found)
  }
}

function ownId(cid: Uint8Array, found: FoundCid): ContentId {
  const { codec, hash, digest } = found
  const isOwn = cid.length === ID_LENGTH && (codec === 85 || codec === 113) && (hash === 18 || hash === 30)
  if (isOwn) return idFromBytes(cid)
  const cidText = toHex(cid)
  throw new VaultError<TransferErrorCode>({
    code: 'TRANSFER_CAR_FOREIGN',
    message: `The CAR is refused: it names ${cidText} with codec ${named(CODECS, codec)} and hash ${named(HASHES, hash)} of ${digest} bytes. A vault holds raw and dag-cbor under blake3 and sha2-256 of 32 bytes.`,
    details: { cid: cidText },
  })
}

function findCid(bytes: Uint8Array): FoundCid | undefined {
  if (bytes[0] === 18 && bytes[1] === 32 && bytes.length >= CID_V0_LENGTH) {
    return { codec: 112, hash: 18, digest: 32, end: CID_V0_LENGTH }
  }
  const version = decodeVarint(bytes, 0)
  const codec = version && decodeVarint(bytes, version.end)
  const hash = codec && decodeVarint(bytes, codec.end)
  const digest = hash && decodeVarint(bytes, hash.end)
  if (digest === undefined || version?.value !== 1 || digest.end + digest.value > bytes.length) return undefined
  return {
    codec: codec?.value as number,
    hash: hash?.value as number,
    digest: digest.value,
    end: digest.end + digest.value,
  }
}

function named(names: Readonly<Record<number, string>>, code: number): string {
  return names[code] ?? `0x${code.toString(16)}`
}
