import type { ContentId, Envelope, Signer } from '@vault/core'
import { contentId, signEnvelope, utf8 } from '@vault/core'
import type { Circumstances, SignatureMemo } from '@vault/spki-caps'
import {
  createAuthorize,
  createCertificateIndex,
  createKeyDirectory,
  createRevocationView,
  createSignatureMemo,
  findChain,
  knownVoices,
  openCapCert,
  thresholdPrincipal,
} from '@vault/spki-caps'
import { describe, expect, it } from 'vitest'
import { ana, ben, cert, eva, HERE, later, MIGRATE, NOW, ROOT, revoke, signer, tom } from './world.ts'

const keys = createKeyDirectory([])
const authorizeBy = (certificates: readonly Envelope[], other: Partial<Circumstances> = {}) =>
  createAuthorize({
    index: createCertificateIndex(certificates),
    circumstances: () => ({ roots: [ROOT], keys, revocations: 'unchecked', ...other }),
  })
const keyOf = (person: Signer | undefined) => (person as Signer).key
const asked = { signers: [ben.key], action: 'migrate', object: HERE, at: NOW }

describe('createAuthorize', () => {
  it('grants by a chain that it finds, until the first of its certificates ends', async () => {
    const authorize = authorizeBy([await cert(eva, ben.key), await cert(ana, eva.key, { expires: later(5000) })])
    expect(await authorize(asked)).toEqual({ action: 'migrate', object: HERE, expires: later(5000), proven: true })
  })

  it('grants by the one that is valid longest, of several that would do', async () => {
    const ends = [later(60_000), null, later(90_000)]
    const all = await Promise.all(ends.map((expires) => cert(ana, ben.key, { expires })))
    expect(await authorizeBy(all)(asked)).not.toHaveProperty('expires')
    const [short, , long] = all as [Envelope, Envelope, Envelope]
    for (const some of [
      [short, long],
      [long, short],
    ]) {
      expect(await authorizeBy(some)(asked)).toMatchObject({ expires: later(90_000) })
    }
  })

  it('counts signers and approvals as distinct persons', async () => {
    const roots = [{ ...ROOT, subject: thresholdPrincipal(2, [ana.key, ben.key, eva.key]) }]
    const authorize = authorizeBy([], { roots })
    expect(await authorize({ ...asked, approvals: [eva.key] })).toMatchObject({ proven: true })
    await expect(authorize({ ...asked, approvals: [ben.key] })).rejects.toMatchObject({ code: 'CAPS_DENIED' })
  })

  it('says why not', async () => {
    const denied = authorizeBy([await cert(eva, ben.key)])(asked)
    await expect(denied).rejects.toMatchObject({
      code: 'CAPS_DENIED',
      details: { findings: [{ code: 'CAPS_NO_CHAIN' }] },
    })
    await expect(authorizeBy([])({ ...asked, signers: [] })).rejects.toMatchObject({ code: 'CAPS_DENIED' })
  })

  it('leaves out a certificate that was revoked by one above it, and finds another way', async () => {
    const certificates = [
      await cert(ana, eva.key),
      await cert(eva, ben.key),
      await cert(ana, tom.key),
      await cert(tom, ben.key),
    ]
    const gone = await revoke(ana, certificates[1] as Envelope)
    const revocations = createRevocationView({ revocations: [gone], sets: [], keys })
    expect(await authorizeBy(certificates, { revocations })(asked)).toMatchObject({ proven: true })
    const none = authorizeBy(certificates.slice(0, 2), { revocations })(asked)
    await expect(none).rejects.toMatchObject({ details: { findings: [{ code: 'CAPS_REVOKED' }] } })
  })

  it('is not misled by forged and damaged certificates on the way', async () => {
    const good = [await cert(ana, eva.key), await cert(eva, ben.key)]
    const forged = await cert(tom, ben.key, { issuer: ana.key })
    const junk = await signEnvelope('cap', utf8('junk'), [ana])
    const index = createCertificateIndex([forged, ...good])
    const authorize = createAuthorize({
      index: { naming: (text) => [junk, ...(index.naming(text) as Iterable<Envelope>)] },
      circumstances: () => ({ roots: [ROOT], keys, revocations: 'unchecked' }),
    })
    expect(await authorize(asked)).toMatchObject({ proven: true })
  })

  it('takes an index that has to be waited for, and stops when it is told to', async () => {
    const index = createCertificateIndex([await cert(ana, ben.key)])
    const authorize = createAuthorize({
      index: {
        async *naming(text) {
          yield* index.naming(text)
        },
      },
      circumstances: () => ({ roots: [ROOT], keys, revocations: 'unchecked' }),
    })
    expect(await authorize(asked)).toMatchObject({ proven: true })
    const reason = new Error('enough')
    await expect(authorize(asked, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('walks circles and crowds once', async () => {
    const people = Array.from({ length: 40 }, (_, i) => signer(`person ${i}`))
    const crowd = await Promise.all(people.map((person, i) => cert(person, keyOf(people[(i + 1) % 40]))))
    const circle = [...crowd, await cert(people[3] as typeof ana, ben.key)]
    await expect(authorizeBy(circle)(asked)).rejects.toMatchObject({ code: 'CAPS_DENIED' })
    const limits = { search: 3 }
    await expect(authorizeBy(circle, { limits })(asked)).rejects.toMatchObject({ code: 'CAPS_LIMIT' })
    const entered = authorizeBy([...circle, await cert(ana, keyOf(people[5]))])
    expect(await entered({ ...asked, signers: [keyOf(people[9])] })).toMatchObject({ proven: true })
    await expect(entered({ ...asked, signers: [keyOf(people[20])] })).rejects.toMatchObject({ code: 'CAPS_DENIED' })
  })

  it('takes the shorter way to a threshold', async () => {
    const [far, near] = [signer('far'), signer('near')].sort((x, y) => (x.key < y.key ? -1 : 1)) as [Signer, Signer]
    const [m1, m2, m3, m4] = ['m1', 'm2', 'm3', 'm4'].map(signer) as [Signer, Signer, Signer, Signer]
    const either = thresholdPrincipal(1, [far.key, near.key])
    const short = [await cert(ana, m1.key), await cert(m1, m2.key), await cert(m2, either), await cert(near, ben.key)]
    const long = [await cert(far, m3.key), await cert(m3, m4.key), await cert(m4, ben.key)]
    const question = { action: 'migrate', tag: MIGRATE, voices: knownVoices([ben.key]) }
    const circumstances = { roots: [ROOT], keys, revocations: 'unchecked' as const, now: NOW }
    const proof = await findChain(question, createCertificateIndex([...long, ...short]), circumstances)
    expect(proof?.map(({ id }) => id)).toEqual(short.map((envelope) => openCapCert(envelope).id))
  })

  it('remembers the signatures that were met last, and no more than it may', () => {
    const memo = createSignatureMemo(4)
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((text) => contentId(utf8(text)))
    const [often, ...once] = ids as [ContentId, ...ContentId[]]
    memo.add(often, ana.key)
    memo.add(often, ben.key)
    for (const id of once) {
      memo.add(id, ana.key)
      expect(memo.has(often, ana.key)).toBe(true)
    }
    expect(memo.has(once.at(-1) as ContentId, ana.key)).toBe(true)
    expect(memo.has(once.at(-1) as ContentId, ben.key)).toBe(false)
    expect(memo.has(often, ben.key)).toBe(false)
    expect(ids.filter((id) => memo.has(id, ana.key)).length).toBeLessThanOrEqual(4)
  })

  it('remembers that a signature was good, and never that it was bad', async () => {
    const seen: string[] = []
    const memo = createSignatureMemo(1)
    const watched: SignatureMemo = {
      has: memo.has,
      add(id, key) {
        seen.push(`${id} ${key}`)
        memo.add(id, key)
      },
    }
    const certificate = await cert(ana, ben.key)
    const forged = {
      ...certificate,
      signatures: (await cert(tom, ben.key)).signatures.map(({ signature }) => ({ key: ana.key, signature })),
    }
    await expect(authorizeBy([forged], { memo: watched })(asked)).rejects.toMatchObject({ code: 'CAPS_DENIED' })
    expect(seen).toEqual([])
    expect(await authorizeBy([certificate], { memo: watched })(asked)).toMatchObject({ proven: true })
    expect(new Set(seen).size).toBe(1)
    // What was signed once stays signed: the envelope with the bad signature has the same payload.
    expect(await authorizeBy([forged], { memo: watched })(asked)).toMatchObject({ proven: true })
  })
})
