import type { ContentId, Envelope } from '@vault/core'
import { verifyKeyHistory } from '@vault/core'
import { answer } from '../answer.ts'
import { authorize } from '../authorize.ts'
import { CAP_REQUEST, openCapRequest } from '../cap-request.ts'
import { createCertificateIndex } from '../certificate-index.ts'
import type { CapsFindingCode } from '../finding-code.ts'
import { createKeyDirectory } from '../key-directory.ts'
import { createNonceLedger } from '../nonce-ledger.ts'
import { createRevocationView } from '../revocation-view.ts'
import type { Root } from '../root.ts'
import type { Verdict } from '../trace.ts'
import { createValidationView } from '../validation-view.ts'
import { askedTag } from '../vault-tag.ts'
import { envelopeVoices } from '../voices.ts'

/** A request, what is to grant it, and by what whoever verifies goes: all of it data, so that any implementation can judge it. */
export interface DemoChain {
  /** What it shows, in words. */
  readonly name: string
  /** The code with which it is refused; absent where it is granted. */
  readonly code?: CapsFindingCode
  readonly request: Envelope
  readonly proof: readonly Envelope[]
  /** Whether the certificates are a proof, or a heap in which one is to be found. */
  readonly given: 'proof' | 'heap'
  readonly roots: readonly Root[]
  readonly audience: ContentId
  readonly now: Date
  /** All key events of every vault that is known. */
  readonly histories: readonly (readonly Envelope[])[]
  readonly revocations: { readonly revocations: readonly Envelope[]; readonly sets: readonly Envelope[] } | 'unchecked'
  /** By whom the certificates want to be validated; absent where none does. */
  readonly validations?: readonly Envelope[]
  /** What the ledger of requests is like: empty, with this request in it, or without room. */
  readonly ledger: 'empty' | 'seen' | 'full'
}

/** The verdict on a chain. */
export async function judgeDemo(chain: DemoChain): Promise<Verdict> {
  const { request, proof, given, roots, audience, now, ledger } = chain
  const keys = createKeyDirectory(chain.histories.map(verifyKeyHistory))
  const revocations =
    chain.revocations === 'unchecked' ? chain.revocations : createRevocationView({ ...chain.revocations, keys })
  const { validations = [] } = chain
  const view = createValidationView({ validations, keys })
  const circumstances = { roots, keys, revocations, validations: view, now }
  if (given === 'heap') {
    const { id, record } = openCapRequest(request)
    const { action, object } = record
    const question = { action, tag: askedTag(action, object), voices: envelopeVoices(CAP_REQUEST, request), id }
    return (await answer(question, createCertificateIndex(proof), circumstances)).verdict
  }
  const nonces = createNonceLedger(ledger === 'full' ? 0 : undefined)
  const input = { request, proof, audience, nonces, ...circumstances }
  if (ledger === 'seen') authorize(input)
  return authorize(input)
}
