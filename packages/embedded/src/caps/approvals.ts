import type { AbortOptions, ContentId, Finding, KeyId } from '@vault/core'
import type { Entry } from '@vault/soup'
import {
  type Act,
  type Approval,
  checkMandate,
  countPeople,
  isApproved,
  knownVoices,
  mandateSigners,
  type OpenApproval,
  openApproval,
  openStandingMandate,
  type StandingMandate,
  vaultTag,
} from '@vault/spki-caps'
import { APPROVAL_PREFIX, MANDATE_PREFIX, openedIn } from './cap-entry.ts'
import type { VaultCaps } from './vault-caps.ts'

/** What is about to be done, and by which keys. */
export interface Undertaking {
  readonly action: string
  /** The id of its plan. */
  readonly act: ContentId
  readonly executors: readonly KeyId[]
  /** The plan does not say to which place it leads. */
  readonly anywhere: boolean
}

/** How far an act is approved, whoever carries it out in the end. */
export interface ApprovalState {
  /** So many different people have to approve it; 0: nobody has to. `undefined`: there is a mandate that cannot be read, and nothing is enough. */
  readonly needed: number | undefined
  /** So many different people have, as it counts now. */
  readonly given: number
  /** Their keys: two of one person are both here. */
  readonly by: readonly GivenApproval[]
}

/** An approval that counts now. */
export interface GivenApproval {
  readonly approver: KeyId
  /** It counts for what is done before this. */
  readonly expires: Date
}

// Only who may approve adds one, so more people than these are no accident, and none of them is looked at.
const MOST_APPROVALS = 1_024

/** The number of the next mandate about an action, and the one that counts now; `undefined`: there is one, and it cannot be read. */
export async function mandateFor(
  caps: VaultCaps,
  action: string,
  options: AbortOptions,
): Promise<{ readonly next: number; readonly approvals: number | undefined }> {
  const prefix = `${MANDATE_PREFIX}${action}/`
  let seq = 0
  let last: Entry | undefined
  for await (const page of caps.parts.soup.query({ prefix }, options)) {
    for (const entry of page) {
      const number = Number(entry.key.slice(prefix.length))
      if (number > seq) [seq, last] = [number, entry]
    }
  }
  if (last === undefined) return { next: 1, approvals: 0 }
  const mandate = await mandateIn(caps, last, options)
  return { next: seq + 1, approvals: mandate?.action === action && mandate.seq === seq ? mandate.approvals : undefined }
}

/** A mandate of the vault, signed by its operators. */
async function mandateIn(
  caps: VaultCaps,
  { fields }: Entry,
  options: AbortOptions,
): Promise<StandingMandate | undefined> {
  const opened = openedIn(fields.envelope, openStandingMandate)
  if (opened === undefined || !caps.isVault(opened.record.issuer)) return undefined
  const { keys } = await caps.circumstances(options)
  return mandateSigners(opened.envelope, keys).length > 0 ? opened.record : undefined
}

/** Why an undertaking is not approved as the vault's mandate asks; empty where it is, or no mandate asks. */
export async function missingApprovals(
  caps: VaultCaps,
  { action, act, executors, anywhere }: Undertaking,
  options: AbortOptions,
): Promise<readonly Finding[]> {
  const { approvals } = await mandateFor(caps, action, options)
  if (approvals === 0) return []
  if (approvals === undefined) {
    return [{ code: 'CAPS_MANDATE_INVALID', message: `The vault has a mandate about ${action} that cannot be read.` }]
  }
  if (anywhere) {
    const message = 'Its plan does not name the place to which it leads, so nobody can approve it: make a new one.'
    return [{ code: 'CAPS_MANDATE_QUORUM', message, subject: 'approve' }]
  }
  const { vault } = caps.parts
  const tag = (verb: string) => vaultTag({ actions: [verb], object: vault })
  const mandate = {
    name: action,
    class: 'execution',
    scope: vaultTag({ actions: '*', object: vault }),
    roles: { approve: tag('approve'), execute: tag(action) },
    distinct: [['approve', 'execute']],
    quorum: { approve: approvals },
  }
  const approved = (await countedApprovals(caps, { action, act }, options)).map((each) => each.as)
  const executed: Act[] = []
  const voices = knownVoices(executors)
  // What one of them holds by himself says whose second key he is, also where another one's grant is enough.
  for (const keys of [executors, ...executors.map((key) => [key])]) {
    const { verdict, proof } = await caps.ask(keys, { action }, options)
    if (verdict.ok || keys === executors) executed.push({ role: 'execute', voices, proof })
  }
  return checkMandate(mandate, [...approved, ...executed], await caps.circumstances(options))
}

/** How far an act is approved just now. Who carries it out is not known here: what he has approved himself counts, and will not when he does. */
export async function approvalState(
  caps: VaultCaps,
  { action, act }: Pick<Undertaking, 'action' | 'act'>,
  options: AbortOptions,
): Promise<ApprovalState> {
  const { approvals: needed } = await mandateFor(caps, action, options)
  const counted = await countedApprovals(caps, { action, act }, options)
  const by = counted.map(({ approver, expires }) => ({ approver, expires: new Date(expires * 1000) }))
  return { needed, given: countPeople(counted.map((each) => each.as)), by }
}

/** The approvals of this act by those to whom `approve` is granted now. */
async function countedApprovals(
  caps: VaultCaps,
  what: Pick<Undertaking, 'action' | 'act'>,
  options: AbortOptions,
): Promise<readonly (Pick<Approval, 'approver' | 'expires'> & { readonly as: Act })[]> {
  const counted = []
  for (const [approver, { id, record }] of await approvalsOf(caps, what, options)) {
    const { verdict, proof } = await caps.ask([approver], { action: 'approve' }, options)
    // What does not count any more takes nothing from what the others have approved.
    if (!verdict.ok) continue
    const as = { role: 'approve', voices: knownVoices([approver]), proof, id }
    counted.push({ approver, expires: record.expires, as })
  }
  return counted
}

/** Approvals of this act that are signed, and have not expired: of each approver the one that counts longest, however often he says so. */
async function approvalsOf(
  caps: VaultCaps,
  { action, act }: Pick<Undertaking, 'action' | 'act'>,
  options: AbortOptions,
): Promise<ReadonlyMap<KeyId, OpenApproval>> {
  const { soup, vault, clock } = caps.parts
  const now = clock().getTime() / 1000
  const found = new Map<KeyId, OpenApproval>()
  let [seen, again] = [0, 0]
  for await (const page of soup.query({ prefix: `${APPROVAL_PREFIX}${act}/` }, options)) {
    for (const { fields } of page) {
      const opened = openedIn(fields.envelope, openApproval)
      if (opened === undefined) continue
      const { record, envelope } = opened
      const isOfThis = record.vault.id === vault && record.act.id === act && record.action === action
      if (!isOfThis || now >= record.expires) continue
      // Those that count no more, or again, leave room for what others have approved.
      const known = found.get(record.approver)
      if (known !== undefined) {
        if (record.expires <= known.record.expires || ++again > MOST_APPROVALS) continue
      } else if (++seen > MOST_APPROVALS) return found
      if (isApproved(envelope)) found.set(record.approver, opened)
    }
  }
  return found
}
