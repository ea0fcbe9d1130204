import type { AuditEvent } from '@vault/audit-chain'
import { createNoteSigner, encodeEvent, originOf, sealEntry, signCheckpoint } from '@vault/audit-chain'
import type { Bytes, Roles, Signer } from '@vault/core'
import {
  contentId,
  createInception,
  createSigner,
  decode,
  encode,
  encodeEnvelope,
  keyEventPayload,
  link,
  signEnvelope,
  toHex,
  utf8,
  verifyKeyHistory,
} from '@vault/core'
import type { LogNode } from '@vault/merkle'
import { leafHash, logRoot, nodeHash, proveConsistency, proveInclusion } from '@vault/merkle'
import type { Acceptance, Certificate, Handoff, Plan, Possession, Ready } from '../../src/index.ts'
import { encodePlan, possessionProof } from '../../src/index.ts'

type Change<T> = (honest: T) => unknown

/** What somebody changes who has every key: each part is signed after the change, and what comes after it is made from it. */
export interface Forgery {
  readonly plan?: Change<Plan>
  readonly keyEvent?: Change<Record<string, unknown>>
  readonly acceptance?: Change<Acceptance>
  readonly ready?: Change<Ready>
  readonly handoff?: Change<Handoff>
  readonly possession?: Change<Possession>
  /** The entries of the log from the hand-off on. */
  readonly events?: Change<readonly AuditEvent[]>
  /** What an entry says of its place. */
  readonly seq?: (index: number) => number
  /** The last thing changed. */
  readonly certificate?: Change<Certificate>
  /** Other signers than those who should. */
  readonly signers?: Partial<
    Record<'keyEvent' | 'acceptance' | 'ready' | 'handoff' | 'possession' | 'certificate', readonly Signer[]>
  >
  /** Keys that sign the notes of source and target. */
  readonly notes?: { readonly source?: Signer; readonly target?: Signer }
}

const signerOf = (n: number): Signer => createSigner(new Uint8Array(32).fill(n))
const role = ({ key }: Signer) => ({ keys: [key], threshold: 1 })

export const OLD = { identity: signerOf(1), operators: signerOf(2), log: signerOf(3), place: signerOf(4) }
export const NEW = { identity: signerOf(11), operators: signerOf(12), log: signerOf(13), place: signerOf(14) }
export const STRANGER: Signer = signerOf(99)

export const MIGRATION = '5e'.repeat(16)
export const HERE = '0a'.repeat(16)
export const THERE = '0b'.repeat(16)
export const AT = 1_770_000_000
export const STATEMENT = {
  sequence: 12,
  roots: { objects: '11'.repeat(32), soup: '22'.repeat(32) },
  counts: { objects: 3, bytes: 3000, entries: 4 },
}

const rolesOf = (who: typeof OLD): Roles => ({
  identity: role(who.identity),
  operators: role(who.operators),
  log: role(who.log),
})

export const INCEPTION = await createInception(
  { roles: rolesOf(OLD), nonce: new Uint8Array(16).fill(7), at: new Date(AT * 1000) },
  [OLD.identity, OLD.operators, OLD.log],
)
const FOUNDED = verifyKeyHistory([INCEPTION])
export const VAULT = FOUNDED.vault
const ORIGIN = originOf(VAULT)
const SOURCE_ENTRIES = 5

export const PLAN: Plan = {
  type: 'migration-plan',
  v: 1,
  migration_id: MIGRATION,
  kind: 'full',
  reason: 'cost',
  source: { ...STATEMENT, vault: VAULT, label: 'here' },
  target: { label: 'there' },
  verification: { mode: 'full' },
  handoff: { keys: 'new' },
  rounds: 10,
}

/** A certificate in which everything is as it should be but for what is forged. */
export async function forge(forgery: Forgery = {}): Promise<Bytes> {
  const { signers = {} } = forgery
  const plan = encodePlan((forgery.plan?.(PLAN) ?? PLAN) as Plan)
  const planLink = link(contentId(plan, { hash: 'sha2-256', codec: 'dag-cbor' }))
  const nonce = new Uint8Array(32).fill(9)
  const common = { v: 1, vault: link(VAULT), migration: MIGRATION } as const

  const keyPayload = await keyEventOf(forgery)
  const keyEvent = await signEnvelope(
    'key',
    keyPayload,
    signers.keyEvent ?? [OLD.identity, NEW.identity, NEW.operators, NEW.log],
  )
  const keyEvents = [INCEPTION, keyEvent].map(encodeEnvelope)

  const acceptance = await document<Acceptance>(
    {
      ...common,
      type: 'migration-acceptance',
      plan: planLink,
      instance: THERE,
      place: NEW.place.key,
      roles: rolesOf(NEW),
      nonce,
      at: AT + 10,
    },
    forgery.acceptance,
    signers.acceptance ?? [NEW.place],
  )

  const sourceLeaves = trail(
    Array.from({ length: SOURCE_ENTRIES }, (_, i) => eventOf('put', `object ${i}`, `put/${i}`)),
  )
  const sourceNote = await note(sourceLeaves, forgery.notes?.source ?? OLD.log)
  const log = { size: SOURCE_ENTRIES, root: toHex(await rootOf(sourceLeaves)) }

  const ready = await document<Ready>(
    { ...common, type: 'migration-ready', instance: THERE, statement: STATEMENT, log, nonce, at: AT + 20 },
    forgery.ready,
    signers.ready ?? [NEW.place],
  )
  const handoff = await document<Handoff>(
    {
      ...common,
      type: 'migration-handoff',
      from: { instance: HERE, place: OLD.place.key },
      to: { instance: THERE, place: NEW.place.key },
      nonce,
      epoch: 1,
      statement: STATEMENT,
      log,
      checkpoint: sourceNote,
      key_event: link(idOf(keyPayload)),
      plan: planLink,
      ready: link(idOf(ready.payload)),
      at: AT + 30,
    },
    forgery.handoff,
    signers.handoff ?? [OLD.log, OLD.place],
  )

  const honest = [
    eventOf('handoff', `migration:${MIGRATION}`, 'handoff', { epoch: 1, handoff: handoff.bytes }),
    eventOf('put', 'object 9', 'put/9'),
    eventOf('migration-complete', `migration:${MIGRATION}`, 'complete', {
      migration_id: MIGRATION,
      objects: STATEMENT.counts.objects,
      verification: { coverage: { mode: 'full' }, checked: STATEMENT.counts },
    }),
    eventOf('put', 'object 10', 'put/10'),
  ]
  const events = (forgery.events?.(honest) ?? honest) as readonly AuditEvent[]
  const leaves = trail(events, sourceLeaves, forgery.seq)
  const nodes = nodesOf(leaves)
  const size = leaves.length
  const entry = async (index: number) => ({
    index,
    leaf: leaves[index] as Bytes,
    proof: [...(await proveInclusion(nodes, { index, size }))],
  })

  const object = utf8('the bytes of an object')
  const id = contentId(object)
  const proofNonce = new Uint8Array(32).fill(8)
  const proof = possessionProof({ place: NEW.place.key, migration: MIGRATION, nonce: proofNonce }, id, object)
  const possession = await document<Possession>(
    { ...common, type: 'migration-possession', batch: 1, id: link(id), nonce: proofNonce, proof, at: AT + 15 },
    forgery.possession,
    signers.possession ?? [NEW.place],
  )

  const certificate: Certificate = {
    ...common,
    type: 'migration-certificate',
    plan,
    key_events: keyEvents,
    acceptance: acceptance.bytes,
    ready: ready.bytes,
    handoff: handoff.bytes,
    verification: { coverage: { mode: 'full' }, checked: { objects: 3, bytes: 3000, entries: 4 }, findings: 0 },
    transfer: { objects: 3, bytes: 3000, entries: 4, rounds: 2, batches: 2 },
    possession: { mode: 'signed', acks: 2, sample: [possession.bytes] },
    audit: {
      origin: ORIGIN,
      source: sourceNote,
      target: await note(leaves, forgery.notes?.target ?? NEW.log),
      consistency: [...(await proveConsistency(nodes, { from: SOURCE_ENTRIES, to: size }))],
      handoff: await entry(SOURCE_ENTRIES),
      complete: await entry(SOURCE_ENTRIES + 2),
    },
    authority: { mode: 'not-checked' },
    witnesses: [],
    times: { planned: AT, handed_off: AT + 30, completed: AT + 40 },
    statement: STATEMENT,
  }
  const outer = await document<Certificate>(certificate, forgery.certificate, signers.certificate ?? [NEW.log])
  return outer.bytes
}

async function keyEventOf({ keyEvent }: Forgery): Promise<Bytes> {
  const payload = keyEventPayload({
    history: FOUNDED,
    why: 'migrate',
    roles: rolesOf(NEW),
    context: { migration: MIGRATION, instance: THERE },
    at: new Date((AT + 5) * 1000),
  })
  return keyEvent === undefined ? payload : encode(keyEvent(decode(payload) as Record<string, unknown>))
}

async function document<T extends { readonly type: string }>(
  honest: T,
  change: Change<T> | undefined,
  signers: readonly Signer[],
): Promise<{ readonly payload: Bytes; readonly bytes: Bytes }> {
  const payload = encode(change?.(honest) ?? honest)
  return { payload, bytes: encodeEnvelope(await signEnvelope(honest.type, payload, signers)) }
}

function idOf(payload: Uint8Array) {
  return contentId(payload, { hash: 'sha2-256', codec: 'dag-cbor' })
}

export function eventOf(verb: string, object: string, key: string, parameters?: Record<string, unknown>): AuditEvent {
  return {
    time: AT,
    actor: { name: 'owner', proven: false },
    action: { verb, object, ...(parameters === undefined ? {} : { parameters }) },
    key,
  }
}

/** The leaves of a log with these events added. */
function trail(
  events: readonly AuditEvent[],
  before: readonly Bytes[] = [],
  seq: (index: number) => number = (index) => index,
): readonly Bytes[] {
  const leaves = [...before]
  for (const event of events) {
    const last = leaves.at(-1)
    leaves.push(sealEntry(encodeEvent(event), seq(leaves.length), last === undefined ? null : leafHash(last)))
  }
  return leaves
}

function nodesOf(leaves: readonly Bytes[]) {
  const hash = ({ level, index }: LogNode): Bytes => {
    if (level === 0) return leafHash(leaves[index] as Bytes)
    return nodeHash(hash({ level: level - 1, index: 2 * index }), hash({ level: level - 1, index: 2 * index + 1 }))
  }
  return { read: async (nodes: readonly LogNode[]) => nodes.map(hash) }
}

function rootOf(leaves: readonly Bytes[]): Promise<Bytes> {
  return logRoot(nodesOf(leaves), leaves.length)
}

async function note(leaves: readonly Bytes[], signer: Signer): Promise<Bytes> {
  const checkpoint = { origin: ORIGIN, size: leaves.length, root: await rootOf(leaves), extensions: [] }
  return signCheckpoint(checkpoint, [createNoteSigner({ name: ORIGIN, signer })])
}
