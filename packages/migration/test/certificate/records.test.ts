import type { ContentId, Envelope, Signer } from '@vault/core'
import {
  concatBytes,
  contentId,
  decode,
  encode,
  hashBytes,
  idBytes,
  link,
  publicKeyOf,
  signEnvelope,
  systemRandom,
  utf8,
  verifyKeyHistory,
} from '@vault/core'
import { describe, expect, test } from 'vitest'
import {
  acceptanceId,
  checkpointId,
  declineId,
  encodeAcceptance,
  encodeMigrationCheckpoint,
  encodeRecovery,
  type Handoff,
  handoffId,
  type MigrationCheckpoint,
  parseAcceptance,
  parseDecline,
  parseHandoff,
  parseMigrationCheckpoint,
  parsePossession,
  parseReady,
  parseRecovery,
  possessionId,
  possessionProof,
  readyId,
  recoveryId,
  signAcceptance,
  signDecline,
  signHandoff,
  signMigrationCheckpoint,
  signPossession,
  signReady,
  signRecovery,
  verifyAcceptance,
  verifyDecline,
  verifyHandoff,
  verifyMigrationCheckpoint,
  verifyPossession,
  verifyReady,
  verifyRecovery,
} from '../../src/index.ts'
import { AT, HERE, INCEPTION, MIGRATION, NEW, OLD, STATEMENT, STRANGER, THERE, VAULT } from './forge.ts'

const history = verifyKeyHistory([INCEPTION])
const idOf = (text: string): ContentId => contentId(utf8(text), { hash: 'sha2-256', codec: 'dag-cbor' })
const PLAN_ID = idOf('plan')
const OTHER = idOf('other')
const OTHER_HEX = '77'.repeat(16)
const nonce = new Uint8Array(32).fill(9)
const log = { size: 3, root: '44'.repeat(32) }
const common = { v: 1, vault: link(VAULT), migration: MIGRATION } as const
const role = ({ key }: Signer) => ({ keys: [key], threshold: 1 })
const roles = { identity: role(NEW.identity), operators: role(NEW.operators), log: role(NEW.log) }
const stored = utf8('what is stored')
const id = contentId(stored)
const proofClaim = { place: NEW.place.key, migration: MIGRATION, nonce }
const proof = possessionProof(proofClaim, id, stored)

const acceptance = {
  ...common,
  type: 'migration-acceptance',
  plan: link(PLAN_ID),
  instance: THERE,
  place: NEW.place.key,
  roles,
  nonce,
  at: AT,
} as const
const possession = { ...common, type: 'migration-possession', batch: 1, id: link(id), nonce, proof, at: AT } as const
const ready = { ...common, type: 'migration-ready', instance: THERE, statement: STATEMENT, log, nonce, at: AT } as const
const decline = { ...common, type: 'migration-decline', instance: THERE, epoch: 2, at: AT } as const
const recovery = {
  ...common,
  type: 'migration-recovery',
  instance: THERE,
  epoch: 3,
  reason: 'it burnt',
  at: AT,
} as const
const checkpoint: MigrationCheckpoint = {
  type: 'migration-checkpoint',
  v: 1,
  migration: MIGRATION,
  plan: link(PLAN_ID),
  seq: 0,
  prev: null,
  timestamp: AT,
  transferred: { objects: 1, bytes: 2 },
  remaining: { objects: 3, bytes: 4 },
  last_hash: id,
  source: { vault: link(VAULT), ...STATEMENT.roots },
  driver: 1,
}
const handoff: Handoff = {
  ...common,
  type: 'migration-handoff',
  from: { instance: HERE, place: OLD.place.key },
  to: { instance: THERE, place: NEW.place.key },
  nonce,
  epoch: 1,
  statement: STATEMENT,
  log,
  checkpoint: utf8('a note'),
  key_event: link(OTHER),
  plan: link(PLAN_ID),
  ready: link(readyId(ready)),
  at: AT,
}

const at = { vault: VAULT, migration: MIGRATION, instance: THERE, place: NEW.place.key }

interface Kind {
  readonly record: { readonly type: string }
  readonly parse: (payload: Uint8Array) => unknown
  readonly sign: () => Promise<Envelope>
  readonly verify: (envelope: Envelope, changed?: object) => unknown
  /** Who signs, and what is compared. */
  readonly by: readonly Signer[]
  readonly compared: Readonly<Record<string, unknown>>
  /** The id that the package gives it. */
  readonly id: ContentId
}

const KINDS: readonly Kind[] = [
  {
    record: acceptance,
    parse: parseAcceptance,
    sign: () => signAcceptance(acceptance, NEW.place),
    verify: (envelope, changed) => verifyAcceptance(envelope, { ...at, plan: PLAN_ID, ...changed }),
    by: [NEW.place],
    compared: { vault: OTHER, migration: OTHER_HEX, plan: OTHER, instance: HERE, place: OLD.place.key },
    id: acceptanceId(acceptance),
  },
  {
    record: possession,
    parse: parsePossession,
    sign: () => signPossession(possession, NEW.place),
    verify: (envelope, changed) => {
      const { instance: _, ...claim } = at
      return verifyPossession(envelope, { ...claim, batch: 1, id, nonce, bytes: stored, ...changed })
    },
    by: [NEW.place],
    compared: {
      vault: OTHER,
      migration: OTHER_HEX,
      batch: 2,
      id: OTHER,
      nonce: new Uint8Array(32),
      bytes: utf8('other'),
    },
    id: possessionId(possession),
  },
  {
    record: checkpoint,
    parse: parseMigrationCheckpoint,
    sign: () => signMigrationCheckpoint(checkpoint, OLD.place),
    verify: (envelope, changed) => {
      return verifyMigrationCheckpoint(envelope, {
        migration: MIGRATION,
        plan: PLAN_ID,
        place: OLD.place.key,
        ...changed,
      })
    },
    by: [OLD.place],
    compared: { migration: OTHER_HEX, plan: OTHER },
    id: checkpointId(checkpoint),
  },
  {
    record: ready,
    parse: parseReady,
    sign: () => signReady(ready, NEW.place),
    verify: (envelope, changed) => verifyReady(envelope, { ...at, ...changed }),
    by: [NEW.place],
    compared: { vault: OTHER, migration: OTHER_HEX, instance: HERE },
    id: readyId(ready),
  },
  {
    record: handoff,
    parse: parseHandoff,
    sign: () => signHandoff(handoff, { log: [OLD.log], place: OLD.place }),
    verify: (envelope, changed) => verifyHandoff(envelope, { history, place: OLD.place.key, ...changed }),
    by: [OLD.log, OLD.place],
    compared: { history: { ...history, vault: OTHER }, place: NEW.place.key },
    id: handoffId(handoff),
  },
  {
    record: decline,
    parse: parseDecline,
    sign: () => signDecline(decline, NEW.place),
    verify: (envelope, changed) => verifyDecline(envelope, { ...at, ...changed }),
    by: [NEW.place],
    compared: { vault: OTHER, migration: OTHER_HEX, instance: HERE },
    id: declineId(decline),
  },
  {
    record: recovery,
    parse: parseRecovery,
    sign: () => signRecovery(recovery, [OLD.identity]),
    verify: (envelope, changed) => {
      return verifyRecovery(envelope, { history, migration: MIGRATION, instance: THERE, ...changed })
    },
    by: [OLD.identity],
    compared: { history: { ...history, vault: OTHER }, migration: OTHER_HEX, instance: HERE },
    id: recoveryId(recovery),
  },
]

describe.each(KINDS.map((kind) => [kind.record.type, kind] as const))('%s', (type, kind) => {
  const { record, parse, sign, verify, by, compared } = kind

  test('is read as it was signed, and named by its payload', async () => {
    const envelope = await sign()
    expect(verify(envelope)).toEqual(record)
    expect(kind.id).toBe(contentId(envelope.payload, { hash: 'sha2-256', codec: 'dag-cbor' }))
  })

  test('lacks no field, has none that is unknown, and says which', () => {
    for (const field of Object.keys(record)) {
      const { [field]: _, ...rest } = record as Record<string, unknown>
      for (const payload of [encode(rest), encode({ ...record, [field]: false })]) {
        expect(() => parse(payload)).toThrow(
          expect.objectContaining({
            code: 'MIGRATION_RECORD_INVALID',
            details: { record: type, field: expect.stringMatching(new RegExp(`^${field}`)) },
          }),
        )
      }
    }
    const details = { record: type, field: 'note' }
    expect(() => parse(encode({ ...record, note: 1 }))).toThrow(expect.objectContaining({ details }))
  })

  test('is refused as bytes that are none', () => {
    for (const payload of [new Uint8Array(), encode(null), encode([record]), encode(new Uint8Array(1024 * 1024))]) {
      const details = { record: type, field: 'the payload' }
      expect(() => parse(payload)).toThrow(expect.objectContaining({ code: 'MIGRATION_RECORD_INVALID', details }))
    }
  })

  test.each(Object.keys(compared))('is refused where another %s is expected', async (field) => {
    const envelope = await sign()
    expect(() => verify(envelope, { [field]: compared[field] })).toThrow(
      expect.objectContaining({ code: 'MIGRATION_RECORD_FOREIGN' }),
    )
  })

  test('is refused without each of its signers, and under another type', async () => {
    const { payload } = await sign()
    const threshold = expect.objectContaining({ code: 'SIGNATURE_THRESHOLD' })
    for (const absent of by) {
      const others = [STRANGER, ...by.filter((signer) => signer !== absent)]
      const envelope = await signEnvelope(type, payload, others)
      expect(() => verify(envelope)).toThrow(threshold)
    }
    const envelope = await signEnvelope('key', payload, by)
    expect(() => verify(envelope)).toThrow(threshold)
  })
})

describe('a proof of possession', () => {
  test('needs the bytes, the id, the nonce, the migration and the key of the place', () => {
    expect(proof).toHaveLength(32)
    const others = [
      possessionProof(proofClaim, id, utf8('what is stored.')),
      possessionProof(proofClaim, OTHER, stored),
      possessionProof({ ...proofClaim, nonce: systemRandom(32) }, id, stored),
      possessionProof({ ...proofClaim, migration: OTHER_HEX }, id, stored),
      possessionProof({ ...proofClaim, place: OLD.place.key }, id, stored),
    ]
    for (const other of others) expect(other).not.toEqual(proof)
  })

  test('is what the page says, of short objects and of long ones', () => {
    const head = concatBytes(utf8('vault/possession/v2\0'), publicKeyOf(NEW.place.key), utf8(MIGRATION), nonce)
    for (const length of [0, 14, 4_096, 4_097, 1_048_576]) {
      const bytes = new Uint8Array(length).fill(7)
      const message = concatBytes(head, idBytes(id), bytes)
      expect(possessionProof(proofClaim, id, bytes)).toEqual(hashBytes('sha2-256', message))
    }
  })

  test('that another place made of the same bytes is refused under the key of this one', async () => {
    const relayed = possessionProof({ ...proofClaim, place: OLD.place.key }, id, stored)
    const envelope = await signPossession({ ...possession, proof: relayed }, NEW.place)
    const { instance: _, ...claim } = at
    expect(() => verifyPossession(envelope, { ...claim, batch: 1, id, nonce, bytes: stored })).toThrow(
      expect.objectContaining({ code: 'MIGRATION_RECORD_FOREIGN' }),
    )
  })

  test('is refused where its place signed another proof', async () => {
    const envelope = await signPossession({ ...possession, proof: nonce }, NEW.place)
    const { instance: _, ...claim } = at
    expect(() => verifyPossession(envelope, { ...claim, batch: 1, id, nonce, bytes: stored })).toThrow(
      expect.objectContaining({
        code: 'MIGRATION_RECORD_FOREIGN',
        details: expect.objectContaining({ field: 'proof' }),
      }),
    )
  })
})

describe('the fields', () => {
  const refusal = (change: object) => () =>
    parseAcceptance(encode({ ...(decode(encodeAcceptance(acceptance)) as object), ...change }))

  test('are refused outside their ranges', () => {
    expect(refusal({})()).toEqual(acceptance)
    const wrong: Record<string, unknown>[] = [
      { vault: VAULT },
      { migration: MIGRATION.toUpperCase() },
      { migration: MIGRATION.slice(1) },
      { place: 'ed25519:z' },
      { roles: null },
      { roles: { ...roles, log: { keys: [], threshold: 1 } } },
      { nonce: new Uint8Array(31) },
      { at: -1 },
      { at: 0.5 },
    ]
    for (const change of wrong)
      expect(refusal(change)).toThrow(expect.objectContaining({ code: 'MIGRATION_RECORD_INVALID' }))
  })

  test('of a checkpoint may be absent where there is nothing yet', () => {
    const first = { ...checkpoint, last_hash: null }
    expect(parseMigrationCheckpoint(encodeMigrationCheckpoint(first))).toEqual(first)
    const next = { ...checkpoint, seq: 1, prev: link(checkpointId(first)) }
    expect(parseMigrationCheckpoint(encodeMigrationCheckpoint(next))).toEqual(next)
  })

  test('of a recovery have a reason that people can read', () => {
    for (const reason of ['', 'x'.repeat(1_025)]) {
      expect(() => parseRecovery(encodeRecovery({ ...recovery, reason }))).toThrow(
        expect.objectContaining({ details: { record: 'migration-recovery', field: 'reason' } }),
      )
    }
  })

  test('are refused before anything is signed', async () => {
    const never: Signer = { key: NEW.place.key, sign: () => Promise.reject(new Error('asked to sign')) }
    await expect(signAcceptance({ ...acceptance, at: -1 }, never)).rejects.toMatchObject({
      code: 'MIGRATION_RECORD_INVALID',
    })
  })
})
