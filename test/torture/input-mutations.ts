import { type CasReader, createMemoryCas } from '@vault/cas'
import { contentId, decode, encode, equalBytes, isVaultError, type KeyId, link, toHex, type VaultId } from '@vault/core'
import { verifyCertificate } from '@vault/migration'
import { importCar } from '@vault/transfer'
import { carOf } from '../../packages/transfer/test/car-bytes.ts'
import type { Campaign, Outcome, Setting } from './campaign.ts'
import { mutate } from './mutate.ts'
import { seededNumbers } from './seeded-numbers.ts'
import { unhex, vectorsOf } from './vectors-of.ts'

/** Whether an input was taken, or how it was wrong to be taken or refused. */
type Judgement = 'taken' | 'refused' | { readonly wrong: string }

/** CBOR is refused by name, or is the one form of what it says. */
export const cborMutations: Campaign = {
  name: 'cbor-mutations',
  small: 20_000,
  full: 1_000_000,
  run: async (setting) => {
    const values = (await vectorsOf<'hex'>('dag-cbor/v1/valid/values.json')).map(({ hex }) => unhex(hex))
    const certificates = await vectorsOf<'certificate'>('migration-certificate/v1/valid/certificates.json')
    // Most of what travels is small maps with links in them.
    const nested = encode({ a: values.map((bytes) => bytes), b: { c: link(contentId(encode(1))), d: [-1, 'é', 0.5] } })
    const seeds = [...values, nested, nested, unhex(certificates[0]?.certificate ?? '').subarray(0, 600)]
    return await judgeMutations(setting, seeds, async (bytes) => judgeRefusal(() => isCanonical(bytes)))
  },
}

/** A CAR is refused by name, and whatever of it was stored is what its id says. */
export const carMutations: Campaign = {
  name: 'car-mutations',
  small: 1_000,
  full: 100_000,
  run: async (setting) => {
    const block = (value: unknown) => {
      const bytes = encode(value)
      return { id: contentId(bytes, { codec: 'dag-cbor' }), bytes }
    }
    const leaves = ['leaf', { n: 2 }, [3, 4]].map(block)
    const root = block({ parts: leaves.map(({ id }) => link(id)) })
    const car = carOf([root.id], [root, ...leaves])
    return await judgeMutations(setting, [car], async (bytes) => {
      const target = createMemoryCas()
      const judgement = await judgeRefusal(async () => {
        for await (const _ of importCar(piecesOf(bytes), { objects: target }));
      })
      return (await holdsOnlyTheTrue(target)) ? judgement : { wrong: 'stored other bytes than the id says' }
    })
  },
}

/** A certificate that was changed is trusted by nobody who trusts its vault, and is never a failure of the program. */
export const certificateMutations: Campaign = {
  name: 'certificate-mutations',
  small: 300,
  full: 20_000,
  run: async (setting) => {
    const vectors = await vectorsOf<'certificate' | 'vault'>('migration-certificate/v1/valid/certificates.json')
    const seeds = vectors.map(({ certificate }) => unhex(certificate))
    const vaults = vectors.map(({ vault }) => vault as VaultId)
    const keys = (vectors as readonly unknown[] as readonly { keys?: readonly KeyId[] }[]).flatMap(
      ({ keys }) => keys ?? [],
    )
    for (const seed of seeds) {
      if (!verifyCertificate(seed, { trust: { vaults, keys } }).trusted) throw new Error('The unchanged is not trusted')
    }
    return await judgeMutations(setting, seeds, async (bytes) => {
      if (seeds.some((seed) => equalBytes(seed, bytes))) return 'taken'
      return verifyCertificate(bytes, { trust: { vaults, keys } }).trusted ? { wrong: 'trusted' } : 'refused'
    })
  },
}

async function judgeMutations(
  { seed, points }: Setting,
  seeds: readonly Uint8Array[],
  judge: (bytes: Uint8Array) => Promise<Judgement>,
): Promise<Outcome> {
  const numbers = seededNumbers(seed)
  const wrong: string[] = []
  let taken = 0
  for (let i = 0; i < points; i++) {
    const bytes = mutate(seeds[numbers.below(seeds.length)] as Uint8Array, numbers)
    const judgement = await judge(bytes).catch((error: unknown) => ({ wrong: String(error) }))
    if (judgement === 'taken') taken++
    if (typeof judgement === 'object') wrong.push(`input ${i}: ${judgement.wrong}: ${toHex(bytes).slice(0, 400)}`)
  }
  return { points, wrong, note: `${taken} taken, ${points - taken - wrong.length} refused` }
}

async function judgeRefusal(run: () => unknown): Promise<Judgement> {
  try {
    await run()
    return 'taken'
  } catch (error) {
    return isVaultError(error) ? 'refused' : { wrong: error instanceof Error ? `${error.stack}` : String(error) }
  }
}

function isCanonical(bytes: Uint8Array): void {
  if (!equalBytes(encode(decode(bytes)), bytes)) throw new Error('is taken, and written in another form')
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 64) yield bytes.subarray(at, at + 64)
}

/** The store hashes what it gives out, so an object that is not what it is called cannot be read. */
async function holdsOnlyTheTrue(objects: CasReader & ReturnType<typeof createMemoryCas>): Promise<boolean> {
  try {
    for await (const page of objects.list()) for (const id of page) await objects.get(id)
    return true
  } catch {
    return false
  }
}
