import type { AuditEvent } from '@vault/audit-chain'
import type { Bytes, Signer } from '@vault/core'
import {
  concatBytes,
  contentId,
  decode,
  decodeEnvelope,
  encode,
  encodeEnvelope,
  link,
  signEnvelope,
  utf8,
} from '@vault/core'
import type { Certificate, CertificateFindingCode } from '../../src/index.ts'
import type { Forgery } from './forge.ts'
import { AT, eventOf, forge, HERE, MIGRATION, NEW, OLD, PLAN, STATEMENT, STRANGER, THERE, VAULT } from './forge.ts'

const OTHER = link(contentId(utf8('another'), { hash: 'sha2-256', codec: 'dag-cbor' }))
const OTHER_ID = '77'.repeat(16)
const OTHER_NONCE = new Uint8Array(32).fill(1)
const role = ({ key }: Signer) => ({ keys: [key], threshold: 1 })

/** With every field of a part replaced by others. */
const put =
  (fields: object) =>
  (honest: object): object => ({ ...honest, ...fields })

/** With a field inside a field of the certificate replaced. */
const inside =
  (field: keyof Certificate, fields: object) =>
  (honest: Certificate): object => ({ ...honest, [field]: { ...(honest[field] as object), ...fields } })

const flipped = (bytes: Uint8Array): Bytes => {
  const copy = new Uint8Array(bytes)
  copy[copy.length - 1] = (copy.at(-1) as number) ^ 1
  return copy
}

/** A part of a consistent certificate of another making. */
const foreign = async (forgery: Forgery): Promise<Certificate> => {
  return decode(decodeEnvelope(await forge(forgery)).payload) as Certificate
}

/** The same statement about more objects. */
const MORE = { ...STATEMENT, counts: { ...STATEMENT.counts, objects: 4 } }
const ROOTS = { ...STATEMENT, roots: { ...STATEMENT.roots, objects: '33'.repeat(32) } }

const SAMPLE = { mode: 'sample', size: 2, seed: 'seed' } as const
const SAMPLED = {
  ...SAMPLE,
  missProbability: [{ bad: 1, probability: 1 / 3 }, ...[10, 100, 1_000].map((bad) => ({ bad, probability: 0 }))],
}
const SAMPLE_CHECKED = { objects: 2, bytes: 10, entries: 2 }
/** What the end of the migration says in the log. */
const completed =
  (parameters: object) =>
  (events: readonly AuditEvent[]): readonly AuditEvent[] =>
    events.map((event) => {
      if (event.action.verb !== 'migration-complete') return event
      return { ...event, action: { ...event.action, parameters: { ...event.action.parameters, ...parameters } } }
    })
const OUTCOME = { coverage: { mode: 'full' }, checked: { objects: 3, bytes: 3000, entries: 4 } }

export interface Case {
  readonly name: string
  readonly forgery: Forgery
}

export interface RefusedCase extends Case {
  readonly code: CertificateFindingCode
  readonly subject: string
}

/** Those that came later, in a file of their own. */
export const VALID_LATER: readonly Case[] = [
  {
    name: 'objects that the target has proven',
    forgery: {
      events: completed({ verification: { ...OUTCOME, coverage: { mode: 'proven', objects: 3 } } }),
      certificate: inside('verification', { coverage: { mode: 'proven', objects: 3 } }),
    },
  },
]

const NEW_IDENTITY = { identity: role(NEW.identity), operators: role(OLD.operators), log: role(NEW.log) }
const KEPT_ROLES = { identity: role(OLD.identity), operators: role(OLD.operators), log: role(NEW.log) }

/** Of which keys are made at the target. */
export const VALID_KEYS: readonly Case[] = [
  {
    name: 'a move to a new identity, whose operators stay',
    forgery: {
      plan: put({ handoff: { keys: 'new-identity' } }),
      acceptance: put({ roles: NEW_IDENTITY }),
      keyEvent: put({ roles: NEW_IDENTITY }),
    },
  },
  {
    name: 'an identity that stays at the source',
    forgery: {
      plan: put({ handoff: { keys: 'keep', identity_stays: [OLD.identity.key] } }),
      acceptance: put({ roles: KEPT_ROLES }),
      keyEvent: put({ roles: KEPT_ROLES }),
    },
  },
]

export const VALID: readonly Case[] = [
  { name: 'a move to new keys', forgery: {} },
  {
    name: 'a move that keeps identity and operators',
    forgery: {
      plan: put({ handoff: { keys: 'keep' } }),
      acceptance: put({ roles: { identity: role(OLD.identity), operators: role(OLD.operators), log: role(NEW.log) } }),
      keyEvent: put({ roles: { identity: role(OLD.identity), operators: role(OLD.operators), log: role(NEW.log) } }),
    },
  },
  { name: 'without proofs of possession', forgery: { certificate: put({ possession: { mode: 'none' } }) } },
  {
    name: 'a sample that the plan asks for',
    forgery: {
      plan: put({ verification: SAMPLE }),
      events: completed({ verification: { coverage: SAMPLED, checked: SAMPLE_CHECKED } }),
      certificate: inside('verification', { coverage: SAMPLED, checked: SAMPLE_CHECKED }),
    },
  },
  { name: 'a higher epoch', forgery: { handoff: put({ epoch: 5 }) } },
  { name: 'the highest epoch', forgery: { handoff: put({ epoch: 2 ** 52 }) } },
  {
    name: 'everything at one moment',
    forgery: { certificate: inside('times', { planned: AT + 30, completed: AT + 30 }) },
  },
]

const INVALID = 'MIGRATION_CERTIFICATE_INVALID'
const UNSIGNED = 'MIGRATION_CERTIFICATE_UNSIGNED'
const KEYS = 'MIGRATION_CERTIFICATE_KEYS'
const DISAGREES = 'MIGRATION_CERTIFICATE_DISAGREES'
const LOG = 'MIGRATION_CERTIFICATE_LOG'
const ENTRY = 'MIGRATION_CERTIFICATE_ENTRY'
const TIMES = 'MIGRATION_CERTIFICATE_TIMES'
const COUNTS = 'MIGRATION_CERTIFICATE_COUNTS'

const refused = (name: string, code: CertificateFindingCode, subject: string, forgery: Forgery): RefusedCase => {
  return { name, code, subject, forgery }
}
const certified = (
  name: string,
  code: CertificateFindingCode,
  subject: string,
  to: NonNullable<Forgery['certificate']>,
) => {
  return refused(name, code, subject, { certificate: to })
}

/** Two keys share the role log at the target. */
const TWO: readonly Signer[] = [NEW.log, NEW.operators].toSorted((a, b) => (a.key < b.key ? -1 : 1))
const TWO_ROLES = {
  identity: role(NEW.identity),
  operators: role(NEW.operators),
  log: { keys: TWO.map(({ key }) => key), threshold: 2 },
}
const TWO_LOG_KEYS: Forgery = {
  acceptance: put({ roles: TWO_ROLES }),
  keyEvent: put({ roles: TWO_ROLES }),
  signers: { certificate: TWO },
}

/** All that whoever has the log key of the source, and places of their own, can sign: no identity takes part. */
const BY_LOG_KEY: Forgery = { notes: { target: OLD.log }, signers: { certificate: [OLD.log] } }
const OLD_ROLES = { identity: role(OLD.identity), operators: role(OLD.operators), log: role(OLD.log) }
const ROTATED = { ...OLD_ROLES, operators: role(NEW.operators) }

const elsewhere = await foreign({ plan: put({ rounds: 11 }) })
const unplanned = await foreign({ possession: put({ migration: OTHER_ID }) })

/** One change each, made by somebody who can sign everything that comes after it. */
export const REFUSED: readonly RefusedCase[] = [
  certified('an unknown field', INVALID, 'certificate.note', put({ note: '' })),
  certified('another version', INVALID, 'certificate.v', put({ v: 2 })),
  certified('a plan that is too long', INVALID, 'certificate.plan', put({ plan: new Uint8Array(256 * 1024 + 1) })),
  certified(
    'a note that is too long',
    INVALID,
    'certificate.audit.target',
    inside('audit', { target: new Uint8Array(32 * 1024 + 1) }),
  ),
  certified('a record that is too long', INVALID, 'certificate.ready', put({ ready: new Uint8Array(128 * 1024 + 1) })),
  certified('a migration that is no id', INVALID, 'certificate.migration', put({ migration: 'mine' })),
  certified('a witness', INVALID, 'certificate.witnesses', put({ witnesses: [new Uint8Array(1)] })),
  certified('another authority', INVALID, 'certificate.authority.mode', put({ authority: { mode: 'checked' } })),
  certified('no key events', INVALID, 'certificate.key_events', put({ key_events: [] })),
  certified('another vault', KEYS, 'key_events', put({ vault: OTHER })),
  certified('another migration', DISAGREES, 'acceptance.migration', put({ migration: OTHER_ID })),
  certified('a plan that is none', INVALID, 'plan', put({ plan: encode({ ...PLAN, rounds: 0 }) })),
  certified('another plan', DISAGREES, 'acceptance.plan', put({ plan: encode({ ...PLAN, rounds: 9 }) })),
  certified('the event of the move is missing', INVALID, 'certificate.key_events', (honest) => ({
    ...honest,
    key_events: honest.key_events.slice(0, 1),
  })),
  certified('the inception is missing', KEYS, 'key_events', (honest) => ({
    ...honest,
    key_events: [...honest.key_events.slice(1), ...honest.key_events.slice(1)],
  })),
  certified('a key event with another byte', KEYS, 'key_events', (honest) => ({
    ...honest,
    key_events: honest.key_events.map((event, i) => (i === 1 ? flipped(event) : event)),
  })),
  certified('an acceptance of another plan', DISAGREES, 'acceptance.plan', put({ acceptance: elsewhere.acceptance })),
  certified('the hand-off of another plan', DISAGREES, 'handoff.plan', put({ handoff: elsewhere.handoff })),
  certified('an acceptance that is a ready record', INVALID, 'acceptance.type', (honest) => ({
    ...honest,
    acceptance: honest.ready,
  })),
  certified('a ready record that is no envelope', INVALID, 'ready', put({ ready: new Uint8Array(3) })),
  certified('a hand-off with another byte', UNSIGNED, 'handoff', (honest) => ({
    ...honest,
    handoff: flipped(honest.handoff),
  })),
  certified('another statement', DISAGREES, 'statement', put({ statement: ROOTS })),
  certified('another sequence', DISAGREES, 'statement', put({ statement: { ...STATEMENT, sequence: 13 } })),
  certified('findings', COUNTS, 'verification.findings', inside('verification', { findings: 1 })),
  certified(
    'a sample that the plan does not ask for',
    COUNTS,
    'verification.coverage',
    inside('verification', { coverage: SAMPLED }),
  ),
  certified(
    'more was proven than checked',
    COUNTS,
    'verification.coverage',
    inside('verification', { coverage: { mode: 'proven', objects: 4 } }),
  ),
  certified(
    'only the difference was read back',
    COUNTS,
    'verification.coverage',
    inside('verification', {
      coverage: { mode: 'difference' },
    }),
  ),
  certified(
    'fewer objects read back than there are',
    COUNTS,
    'verification.checked',
    inside('verification', {
      checked: { objects: 2, bytes: 3000, entries: 4 },
    }),
  ),
  certified(
    'fewer bytes read back than there are',
    COUNTS,
    'verification.checked',
    inside('verification', {
      checked: { objects: 3, bytes: 2999, entries: 4 },
    }),
  ),
  certified(
    'a probability above 1',
    INVALID,
    'certificate.verification.coverage.missProbability[0].probability',
    inside('verification', {
      coverage: { ...SAMPLED, missProbability: [{ bad: 1, probability: 1.5 }] },
    }),
  ),
  certified('objects in no batch', COUNTS, 'transfer.batches', inside('transfer', { batches: 0 })),
  certified('batches in no round', COUNTS, 'transfer.rounds', inside('transfer', { rounds: 0 })),
  certified('bytes of no object', COUNTS, 'transfer.bytes', inside('transfer', { objects: 0 })),
  certified('more proofs than batches', COUNTS, 'possession.acks', inside('possession', { acks: 3 })),
  certified('fewer proofs than are there', COUNTS, 'possession.acks', inside('possession', { acks: 0 })),
  certified('a proof twice', COUNTS, 'possession.sample[1].batch', (honest) => {
    const { sample } = honest.possession as { sample: readonly Bytes[] }
    return { ...honest, possession: { mode: 'signed', acks: 2, sample: [...sample, ...sample] } }
  }),
  certified(
    'a proof of another migration',
    DISAGREES,
    'possession.sample[0].migration',
    put({ possession: unplanned.possession }),
  ),
  certified('another origin', DISAGREES, 'audit.origin', inside('audit', { origin: 'vault/another' })),
  certified('the note of the target twice', DISAGREES, 'audit.source', (honest) => ({
    ...honest,
    audit: { ...honest.audit, source: honest.audit.target },
  })),
  certified('the note of the source twice', LOG, 'audit.target', (honest) => ({
    ...honest,
    audit: { ...honest.audit, target: honest.audit.source },
  })),
  certified('no proof of consistency', LOG, 'audit.consistency', inside('audit', { consistency: [] })),
  certified('another hash in the proof of consistency', LOG, 'audit.consistency', (honest) => ({
    ...honest,
    audit: {
      ...honest.audit,
      consistency: honest.audit.consistency.map((hash, i) => (i === 0 ? flipped(hash) : hash)),
    },
  })),
  certified('another hash in the proof of the hand-off', LOG, 'audit.handoff.proof', (honest) => ({
    ...honest,
    audit: { ...honest.audit, handoff: { ...honest.audit.handoff, proof: honest.audit.handoff.proof.map(flipped) } },
  })),
  certified('the end of the migration elsewhere', LOG, 'audit.complete.proof', (honest) => ({
    ...honest,
    audit: { ...honest.audit, complete: { ...honest.audit.complete, index: 8 } },
  })),
  certified('the hand-off for the end of the migration', ENTRY, 'audit.complete.leaf', (honest) => ({
    ...honest,
    audit: { ...honest.audit, complete: honest.audit.handoff },
  })),
  certified('the end of the migration for the hand-off', LOG, 'audit.handoff.index', (honest) => ({
    ...honest,
    audit: { ...honest.audit, handoff: honest.audit.complete },
  })),
  certified('a leaf that is no entry', ENTRY, 'audit.handoff.leaf', (honest) => ({
    ...honest,
    audit: { ...honest.audit, handoff: { ...honest.audit.handoff, leaf: encode(null) } },
  })),
  certified('planned after the hand-off', TIMES, 'times', inside('times', { planned: AT + 31 })),
  certified('completed before the hand-off', TIMES, 'times', inside('times', { completed: AT + 29 })),
  certified('handed off at another time', DISAGREES, 'times.handed_off', inside('times', { handed_off: AT + 31 })),

  refused('a plan for a part', DISAGREES, 'plan.kind', {
    plan: ({ handoff: _, ...plan }) => ({ ...plan, kind: 'partial', select: [] }),
  }),
  refused('a plan for a copy', DISAGREES, 'plan.handoff', { plan: ({ handoff: _, ...plan }) => plan }),
  refused('a plan that keeps the keys', DISAGREES, 'key_events.roles', {
    plan: put({ handoff: { keys: 'keep' } }),
  }),
  refused('the plan of another migration', DISAGREES, 'plan.migration_id', { plan: put({ migration_id: OTHER_ID }) }),
  refused('the plan of another vault', DISAGREES, 'plan.source.vault', {
    plan: put({ source: { ...PLAN.source, vault: OTHER.id } }),
  }),
  refused('a key event for another migration', DISAGREES, 'key_events.context', {
    keyEvent: put({ context: { migration: OTHER_ID, instance: THERE } }),
  }),
  refused('a key event for another place', DISAGREES, 'key_events.context', {
    keyEvent: put({ context: { migration: MIGRATION, instance: OTHER_ID } }),
  }),
  refused('a key event to other keys than were asked for', DISAGREES, 'acceptance.roles', {
    keyEvent: put({ roles: { identity: role(NEW.identity), operators: role(NEW.identity), log: role(NEW.log) } }),
  }),
  refused('a key event that the old identity has not signed', KEYS, 'key_events', {
    signers: { keyEvent: [NEW.identity, NEW.operators, NEW.log] },
  }),
  refused('a key event that a new key has not signed', KEYS, 'key_events', {
    signers: { keyEvent: [OLD.identity, NEW.identity, NEW.log] },
  }),
  refused('the old log key stays', DISAGREES, 'key_events.roles', {
    acceptance: put({ roles: { identity: role(NEW.identity), operators: role(NEW.operators), log: role(OLD.log) } }),
    keyEvent: put({ roles: { identity: role(NEW.identity), operators: role(NEW.operators), log: role(OLD.log) } }),
    notes: { target: OLD.log },
    signers: { certificate: [OLD.log] },
  }),
  refused('the log key alone, with no key event', INVALID, 'certificate.key_events', {
    ...BY_LOG_KEY,
    acceptance: put({ roles: null }),
    handoff: put({ key_event: null }),
    certificate: (honest) => ({ ...honest, key_events: honest.key_events.slice(0, 1) }),
  }),
  refused('the log key alone, with the inception', INVALID, 'certificate.key_events', {
    ...BY_LOG_KEY,
    acceptance: put({ roles: OLD_ROLES }),
    handoff: put({ key_event: link(VAULT) }),
    certificate: (honest) => ({ ...honest, key_events: honest.key_events.slice(0, 1) }),
  }),
  refused('the log key alone, with a rotation', DISAGREES, 'key_events.context', {
    ...BY_LOG_KEY,
    plan: put({ handoff: { keys: 'keep' } }),
    keyEvent: ({ context: _, ...event }) => ({ ...event, why: 'rotate', roles: ROTATED }),
    acceptance: put({ roles: ROTATED }),
  }),
  refused('an acceptance for another vault', DISAGREES, 'acceptance.vault', { acceptance: put({ vault: OTHER }) }),
  refused('an acceptance by another place', DISAGREES, 'acceptance.instance', {
    acceptance: put({ instance: OTHER_ID }),
  }),
  refused('an acceptance under another key', DISAGREES, 'acceptance.place', {
    acceptance: put({ place: STRANGER.key }),
  }),
  refused('an acceptance of no new keys', INVALID, 'acceptance.roles', { acceptance: put({ roles: null }) }),
  refused('an acceptance with another nonce', DISAGREES, 'handoff.nonce', { acceptance: put({ nonce: OTHER_NONCE }) }),
  refused('an acceptance that somebody else signed', UNSIGNED, 'acceptance', { signers: { acceptance: [OLD.place] } }),
  refused('ready for another vault', DISAGREES, 'ready.vault', { ready: put({ vault: OTHER }) }),
  refused('ready in another migration', DISAGREES, 'ready.migration', { ready: put({ migration: OTHER_ID }) }),
  refused('ready at another place', DISAGREES, 'ready.instance', { ready: put({ instance: OTHER_ID }) }),
  refused('ready with another content', DISAGREES, 'handoff.statement', { ready: put({ statement: ROOTS }) }),
  refused('ready with other counts', DISAGREES, 'handoff.statement', { ready: put({ statement: MORE }) }),
  refused('ready with another log', DISAGREES, 'handoff.log', {
    ready: put({ log: { size: 4, root: '44'.repeat(32) } }),
  }),
  refused('ready with another nonce', DISAGREES, 'ready.nonce', { ready: put({ nonce: OTHER_NONCE }) }),
  refused('a ready record that somebody else signed', UNSIGNED, 'ready', { signers: { ready: [OLD.place] } }),
  refused('a hand-off of another vault', DISAGREES, 'handoff.vault', { handoff: put({ vault: OTHER }) }),
  refused('a hand-off in another migration', DISAGREES, 'handoff.migration', { handoff: put({ migration: OTHER_ID }) }),
  refused('a hand-off to another place', DISAGREES, 'acceptance.instance', {
    handoff: put({ to: { instance: OTHER_ID, place: NEW.place.key } }),
  }),
  refused('a hand-off to itself', DISAGREES, 'handoff.to', {
    handoff: put({ from: { instance: THERE, place: OLD.place.key } }),
  }),
  refused('a hand-off from a place that has not signed', UNSIGNED, 'handoff', {
    handoff: put({ from: { instance: HERE, place: STRANGER.key } }),
  }),
  refused('a hand-off with another nonce', DISAGREES, 'handoff.nonce', { handoff: put({ nonce: OTHER_NONCE }) }),
  refused('a hand-off into epoch 0', INVALID, 'handoff.epoch', { handoff: put({ epoch: 0 }) }),
  refused('a hand-off into an epoch that leaves no room', INVALID, 'handoff.epoch', {
    handoff: put({ epoch: 2 ** 52 + 1 }),
  }),
  refused('a hand-off of other content', DISAGREES, 'handoff.statement', { handoff: put({ statement: ROOTS }) }),
  refused('a hand-off of a longer log', DISAGREES, 'handoff.log', {
    handoff: put({ log: { size: 6, root: '44'.repeat(32) } }),
  }),
  refused('a hand-off with another checkpoint', DISAGREES, 'audit.source', {
    handoff: put({ checkpoint: utf8('a note') }),
  }),
  refused('a hand-off with another key event', DISAGREES, 'handoff.key_event', { handoff: put({ key_event: OTHER }) }),
  refused('a hand-off with no key event', INVALID, 'handoff.key_event', { handoff: put({ key_event: null }) }),
  refused('a hand-off under another plan', DISAGREES, 'handoff.plan', { handoff: put({ plan: OTHER }) }),
  refused('a hand-off to another ready record', DISAGREES, 'handoff.ready', { handoff: put({ ready: OTHER }) }),
  refused('a hand-off that the log key has not signed', UNSIGNED, 'handoff', { signers: { handoff: [OLD.place] } }),
  refused('a hand-off that the place has not signed', UNSIGNED, 'handoff', { signers: { handoff: [OLD.log] } }),
  refused('a hand-off that the new log key has signed', UNSIGNED, 'handoff', {
    signers: { handoff: [NEW.log, OLD.place] },
  }),
  refused('a proof by another place', UNSIGNED, 'possession.sample[0]', { signers: { possession: [OLD.place] } }),
  refused('a proof of no batch', COUNTS, 'possession.sample[0].batch', { possession: put({ batch: 3 }) }),
  refused('the frozen note under the new log key', LOG, 'audit.source', { notes: { source: NEW.log } }),
  refused('the last note under the old log key', LOG, 'audit.target', { notes: { target: OLD.log } }),
  refused('a log that does not go on with the hand-off', ENTRY, 'audit.handoff.leaf', {
    events: (events) => [events[1], events[0], ...events.slice(2)],
  }),
  refused('a log with another hand-off', ENTRY, 'audit.handoff.leaf', {
    events: (events) => [
      eventOf('handoff', `migration:${MIGRATION}`, 'handoff', { epoch: 1, handoff: elsewhere.handoff }),
      ...events.slice(1),
    ],
  }),
  refused('a log with the hand-off of another migration', ENTRY, 'audit.handoff.leaf', {
    events: ([first, ...events]) => [
      eventOf('handoff', `migration:${OTHER_ID}`, 'handoff', { ...first?.action.parameters }),
      ...events,
    ],
  }),
  refused('a log with the end of another migration', ENTRY, 'audit.complete.leaf', {
    events: (events) => [
      ...events.slice(0, 2),
      eventOf('migration-complete', `migration:${OTHER_ID}`, 'complete'),
      ...events.slice(3),
    ],
  }),
  refused('a log that says another number of objects', ENTRY, 'audit.complete.leaf', {
    events: completed({ objects: 2 }),
  }),
  refused('a log that says that less was checked', ENTRY, 'audit.complete.leaf', {
    events: completed({ verification: { ...OUTCOME, checked: { ...OUTCOME.checked, objects: 2 } } }),
  }),
  refused('a log that says another coverage', ENTRY, 'audit.complete.leaf', {
    events: completed({ verification: { ...OUTCOME, coverage: { mode: 'difference' } } }),
  }),
  refused('a log that says nothing of the verification', ENTRY, 'audit.complete.leaf', {
    events: ([first, second, third, ...events]) => [
      first,
      second,
      { ...third, action: { verb: 'migration-complete', object: `migration:${MIGRATION}` } },
      ...events,
    ],
  }),
  refused('a sample that claims to miss less', DISAGREES, 'verification.coverage.missProbability', {
    plan: put({ verification: SAMPLE }),
    certificate: inside('verification', {
      coverage: { ...SAMPLE, missProbability: [{ bad: 1, probability: 0 }, ...SAMPLED.missProbability.slice(1)] },
      checked: SAMPLE_CHECKED,
    }),
  }),
  refused('signed by the old log key', UNSIGNED, 'signatures', { signers: { certificate: [OLD.log] } }),
  refused('signed by the log key and by a stranger', UNSIGNED, 'signatures', {
    signers: { certificate: [NEW.log, STRANGER] },
  }),
  refused('signed twice by the log key', UNSIGNED, 'signatures', { signers: { certificate: [NEW.log, NEW.log] } }),
]

/** The same, in a file of their own: published files are never changed. */
export const REFUSED_LATER: readonly RefusedCase[] = [
  refused('an entry that says that it has another place', ENTRY, 'audit.handoff.leaf', { seq: (index) => index + 1 }),
  refused('a note of the target by one of two log keys', LOG, 'audit.target', { ...TWO_LOG_KEYS }),
  refused('signed by one of two log keys', UNSIGNED, 'signatures', {
    ...TWO_LOG_KEYS,
    signers: { certificate: [NEW.log] },
  }),
]

/** A certificate whose payload is changed without its signer. */
export async function unsigned(forgery: Forgery): Promise<Bytes> {
  const { signatures } = decodeEnvelope(await forge())
  return encodeEnvelope({ payload: decodeEnvelope(await forge(forgery)).payload, signatures })
}

/** Signed as a document of another type. */
export async function signedAsAnotherType(): Promise<Bytes> {
  const { payload } = decodeEnvelope(await forge())
  return encodeEnvelope(await signEnvelope('migration-handoff', payload, [NEW.log]))
}

export const trailing = (bytes: Bytes): Bytes => concatBytes(bytes, new Uint8Array(1))

export const REFUSED_KEYS: readonly RefusedCase[] = [
  refused('new operators, where only the identity is to be a new one', DISAGREES, 'key_events.roles', {
    plan: put({ handoff: { keys: 'new-identity' } }),
  }),
  refused('the old identity, where it is to be a new one', DISAGREES, 'key_events.roles', {
    plan: put({ handoff: { keys: 'new-identity' } }),
    acceptance: put({ roles: KEPT_ROLES }),
    keyEvent: put({ roles: KEPT_ROLES }),
  }),
]
