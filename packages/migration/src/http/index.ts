// Places that are reached over HTTPS.

export type { AbsenceEvent } from './absence.ts'
export type { HttpErrorCode } from './http-error.ts'
export type { Connection, HttpOptions, HttpTimeouts, ReverseConnections } from './http-options.ts'
export { DEFAULT_TIMEOUTS, timeoutsWithin } from './http-options.ts'
export type { HttpPartTarget } from './http-part-target.ts'
export { httpPartTarget } from './http-part-target.ts'
export type { HttpPlace } from './http-place.ts'
export { httpPlace } from './http-place.ts'
export type { HttpSource } from './http-source.ts'
export { httpSource } from './http-source.ts'
export type { HttpState } from './http-state.ts'
export { httpState } from './http-state.ts'
export type { HttpTarget } from './http-target.ts'
export { httpTarget } from './http-target.ts'
export type { DistantEvent, MoveRequest, TakeBackRequest } from './move-field.ts'
export type { VaultStanding } from './standing.ts'

// For those who write a server.

export type { Field } from '../records/field.ts'
export { FieldFault } from '../records/field.ts'
export type { Call, CallName, Calls, HeldView, PausedMove, RequestOf, ResponseOf, Session, Side } from './calls.ts'
export { CALLS } from './calls.ts'
export type { MoveSaying } from './move-field.ts'
export { moveRequest, takeBackRequest } from './move-field.ts'
export type { Offer } from './offer-connections.ts'
export { offerConnections } from './offer-connections.ts'
export type { Peer, PeerCredentials } from './peer-certificate.ts'
export { createPeerCredentials, peerKeyAt, readPeer } from './peer-certificate.ts'
export { Rate } from './rate.ts'
export { REVERSE, REVERSE_PROTOCOL } from './reverse-protocol.ts'
export type { MarkedSpan, PackedDifferences } from './span-field.ts'
export { isMarked, packDifferences } from './span-field.ts'
export { VAULTS_PATH } from './standing.ts'
export type { BlockList, BlockPiece } from './stream-field.ts'
export {
  blockList,
  copyTrailRequest,
  cutBlocks,
  moveTrailRequest,
  objectRequest,
  trailFile,
  WORKING,
} from './stream-field.ts'
export { TokenBucket } from './token-bucket.ts'
export { refusalFrame, refusalText, statusOf } from './wire-error.ts'
