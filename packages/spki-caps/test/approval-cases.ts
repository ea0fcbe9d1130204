import type { ContentId, Envelope } from '@vault/core'
import {
  contentId,
  createInception,
  decode,
  encode,
  encodeEnvelope,
  signEnvelope,
  toHex,
  utf8,
  verifyKeyHistory,
} from '@vault/core'
import type { StandingMandateDraft } from '@vault/spki-caps'
import {
  createApproval,
  createKeyDirectory,
  createStandingMandate,
  mandateSigners,
  openApproval,
  thresholdPrincipal,
  vaultPrincipal,
} from '@vault/spki-caps'
import { ana, ben, DAY, eva, HERE, later, MIGRATE, NOW, signer } from './world.ts'

const PLAN: ContentId = contentId(utf8('the plan of a hand-off'), { hash: 'sha2-256', codec: 'dag-cbor' })
const hex = (envelope: Envelope) => toHex(encodeEnvelope(envelope))

/** What the files about approvals and mandates hold, by their path under `vectors`. */
export async function approvalCases(): Promise<Record<string, readonly object[]>> {
  return { ...(await approvals()), ...(await mandates()) }
}

async function approvals(): Promise<Record<string, readonly object[]>> {
  const draft = { vault: HERE, action: 'migrate', act: PLAN, at: NOW, expires: later(DAY) }
  const good = await createApproval(draft, ana)
  const value = decode(good.payload) as Record<string, unknown>
  const changed = async (name: string, fields: object) => {
    const payload = encode({ ...value, ...fields } as never)
    return { name, envelope: hex(await signEnvelope('cap-approval', payload, [ana])), code: 'CAPS_RECORD_INVALID' }
  }
  const { id, record } = openApproval(good)
  return {
    'capability/v1/valid/approvals.json': [
      {
        name: 'of a plan',
        envelope: hex(good),
        id,
        vault: record.vault.id,
        action: record.action,
        act: record.act.id,
        approver: record.approver,
      },
    ],
    'capability/v1/invalid/approvals.json': [
      { name: 'signed by another', envelope: hex(await signEnvelope('cap-approval', good.payload, [ben])) },
      { name: 'signed as something else', envelope: hex(await signEnvelope('cap-mandate', good.payload, [ana])) },
      {
        name: 'of another plan than was signed',
        envelope: hex({ ...good, payload: encode({ ...value, act: value.vault } as never) }),
      },
      await changed('of nothing', { act: null }),
      await changed('of a text', { act: PLAN }),
      await changed('for no verb', { action: '' }),
      await changed('by no key', { approver: 'ana' }),
      await changed('expires when it is made', { expires: value.at }),
      await changed('expires never', { expires: null }),
      await changed('more than an approval', { comment: 'yes' }),
      await changed('of another version', { v: 2 }),
    ],
  }
}

async function mandates(): Promise<Record<string, readonly object[]>> {
  const identity = signer('identity')
  const one = { keys: [identity.key], threshold: 1 }
  const roles = { identity: one, operators: { keys: [ana.key, ben.key], threshold: 2 }, log: one }
  const founded = { roles, nonce: new Uint8Array(16), at: later(-9 * DAY) }
  const history = [await createInception(founded, [identity, ana, ben])]
  const state = verifyKeyHistory(history)
  const keys = createKeyDirectory([state])
  const issuer = vaultPrincipal(state.vault)
  const draft: StandingMandateDraft = { issuer, epoch: 0, action: 'migrate', seq: 1, approvals: 2, at: NOW }
  const histories = [history.map(hex)]
  const written = (name: string, envelope: Envelope) => {
    const signers = mandateSigners(envelope, keys)
    return { name, envelope: hex(envelope), histories, ...(signers.length > 0 && { signers }) }
  }
  const good = await createStandingMandate(draft, [ana, ben])
  const value = decode(good.payload) as Record<string, unknown>
  const changed = async (name: string, fields: object) => {
    const payload = encode({ ...value, ...fields } as never)
    const envelope = hex(await signEnvelope('cap-mandate', payload, [ana, ben]))
    return { name, envelope, histories, code: 'CAPS_RECORD_INVALID' }
  }
  const { epoch, ...others } = draft
  const ofThree = { ...others, issuer: thresholdPrincipal(2, [ana.key, ben.key, eva.key]) }
  return {
    'capability/v1/valid/mandates.json': [
      written('of the operators of a vault', good),
      written('nobody has to any more', await createStandingMandate({ ...draft, seq: 2, approvals: 0 }, [ana, ben])),
      written('of two of three', await createStandingMandate(ofThree, [ana, eva])),
    ],
    'capability/v1/invalid/mandates.json': [
      written('of one operator of two', await createStandingMandate(draft, [ana])),
      written('of one operator twice', { ...good, signatures: [0, 0].map((i) => good.signatures[i] as never) }),
      written('of others', await createStandingMandate(draft, [ana, eva])),
      written(
        'of operators of an event that there is not',
        await createStandingMandate({ ...draft, epoch: (epoch ?? 0) + 1 }, [ana, ben]),
      ),
      written('for fewer than was signed', { ...good, payload: encode({ ...value, approvals: 0 } as never) }),
      await changed('for no verb', { action: 'Migrate' }),
      await changed('for more people than count', { approvals: 65 }),
      await changed('for half a person', { approvals: -1 }),
      await changed('of a vault at no event', { epoch: null }),
      await changed('more than a mandate', { tag: MIGRATE }),
      await changed('of another version', { v: 2 }),
    ],
  }
}
