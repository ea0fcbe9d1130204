import { decode, encodeEnvelope, isLink, toHex } from '@vault/core'
import type { Root } from '@vault/spki-caps'
import { type DemoChain, demoChains } from '@vault/spki-caps/demo'

/** What the files under `vectors/capability` hold, by their path there. Published cases never change; more come in new files. */
export async function vectorCases(): Promise<Record<string, readonly object[]>> {
  const chains = await demoChains()
  const some = (isGranted: boolean, isOfKind: (chain: DemoChain) => boolean) =>
    chains.filter((chain) => (chain.code === undefined) === isGranted && isOfKind(chain)).map(written)
  const isFirst = (chain: DemoChain) => !hasNames(chain) && !isValidated(chain)
  return {
    'capability/v1/valid/chains.json': some(true, isFirst),
    'capability/v1/invalid/chains.json': some(false, isFirst),
    'capability/v1/valid/validated-chains.json': some(true, isValidated),
    'capability/v1/invalid/validated-chains.json': some(false, isValidated),
    'capability/v1/valid/name-chains.json': some(true, hasNames),
    'capability/v1/invalid/name-chains.json': some(false, hasNames),
  }
}

function isValidated({ validations }: DemoChain): boolean {
  return validations !== undefined
}

/** Chains in which somebody is called by a name: they came later, so they are in files of their own. */
function hasNames({ proof }: DemoChain): boolean {
  return proof.some(({ payload }) => (decode(payload) as { readonly type: unknown }).type === 'cap-name')
}

function written(chain: DemoChain): object {
  const { request, proof, roots, now, histories, revocations, validations, ...rest } = chain
  const hex = (envelope: DemoChain['request']) => toHex(encodeEnvelope(envelope))
  return {
    ...rest,
    now: now.toISOString(),
    roots: roots.map(({ subject, tag, ...root }: Root) => ({
      ...root,
      subject: toDagJson(subject),
      tag: toDagJson(tag),
    })),
    histories: histories.map((history) => history.map(hex)),
    revocations:
      revocations === 'unchecked'
        ? revocations
        : { revocations: revocations.revocations.map(hex), sets: revocations.sets.map(hex) },
    ...(validations === undefined ? {} : { validations: validations.map(hex) }),
    request: hex(request),
    proof: proof.map(hex),
  }
}

/** A value in DAG-JSON, so that JSON can carry bytes and links. */
function toDagJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { '/': { bytes: Buffer.from(value).toString('base64').replace(/=*$/, '') } }
  if (isLink(value)) return { '/': value.id }
  if (Array.isArray(value)) return value.map(toDagJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toDagJson(item)]))
}
