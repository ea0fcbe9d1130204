/**
 * Chains of three certificates and a signed request, decided again and again, beside those of UCAN and Biscuit:
 *
 *   pnpm run bench:caps [--portable] [--seconds N] [--discovery]
 *
 * `--discovery` measures as well how long it takes to find a chain among 100,000 certificates, which have to be signed first.
 * `--portable` hides the platform's own cryptography, so that the signatures are verified as in a browser.
 */
import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { type Chain, checkChain, lengthOf } from './chain.ts'
import { printRatios } from './workbench.ts'

const { values } = parseArgs({
  options: {
    portable: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '2' },
    discovery: { type: 'boolean', default: false },
  },
})
// Before anything of ours is loaded: which implementation is used is decided then.
if (values.portable) Object.assign(process, { getBuiltinModule: () => undefined })
const { createSigner, decodeEnvelope, verifyStrict } = await import('@vault/core')
const caps = await import('@vault/spki-caps')
const { encodeFrame } = await import('@vault/transfer/frame')
const { demand, grant, questionOf, trusting, vault, vaultChain } = await import('./vault-chain.ts')
const { ucanChain } = await import('./ucan-chain.ts')
const { biscuitChain } = await import('./biscuit-chain.ts')

/** Each row is measured in so many turns with the others, and its figure is the median of them. */
const TURNS = 5
const HOPS = [1, 3, 10, 30, 100, 300, 1_000]
const STORED = 100_000

const secretOf = (n: number): Uint8Array => new Uint8Array(32).fill(n >> 8).fill(n, 16)
const now = new Date()
const secrets = [1, 2, 3, 4].map(secretOf)
const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  readonly devDependencies: Readonly<Record<string, string>>
}
const ucan = `UCAN, iso-ucan ${devDependencies['iso-ucan']}`
const chains = new Map<string, Chain>([
  ['ours', await vaultChain(secrets, now)],
  [ucan, await ucanChain(secrets, vault)],
  [
    'the same with our Ed25519',
    await ucanChain(secrets, vault, ({ did, message, signature }) =>
      verifyStrict(did.verifiableDid.publicKey, message, signature),
    ),
  ],
  [`Biscuit, biscuit-wasm ${devDependencies['@biscuit-auth/biscuit-wasm']}`, biscuitChain(secrets, vault, now)],
])
for (const [name, chain] of chains) await checkChain(name, chain)

const median = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] as number
const whole = (figure: number | undefined): string =>
  figure === undefined ? '' : Math.round(figure).toLocaleString('en')

/** Microseconds that this thread has worked. */
const worked = (): number => {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/** How often in a second of this thread's work: what else the machine does takes less from that than from a second of the clock. */
async function perSecond(run: () => unknown, seconds: number): Promise<number> {
  const [start, until] = [worked(), performance.now() + seconds * 1000]
  let count = 0
  for (; performance.now() < until; count++) await run()
  return (count * 1e6) / (worked() - start)
}

console.log(
  `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load ${loadavg()[0]?.toFixed(2)}${values.portable ? ', portable' : ''}\n`,
)
console.log(`| a chain of three and a request | ${[...chains.keys()].join(' | ')} |`)
console.log(`|---|${'---|'.repeat(chains.size)}`)
const rows = new Map<keyof Chain, readonly (number | undefined)[]>()
for (const [kind, what] of [
  ['cold', 'cold: from its bytes, with every signature, 1/s'],
  ['warm', "warm: the certificates' signatures remembered, 1/s"],
  ['judged', 'judged: read, and its signatures remembered, no signed request, 1/s'],
] as const) {
  const turns: (number | undefined)[][] = []
  for (let turn = 0; turn < TURNS; turn++) {
    const figures: (number | undefined)[] = []
    for (const { [kind]: run } of chains.values()) {
      figures.push(run && (await perSecond(run, Number(values.seconds) / TURNS)))
    }
    turns.push(figures)
  }
  const row = [...chains.keys()].map((_, i) => {
    const figures = turns.flatMap((turn) => turn[i] ?? [])
    return figures.length === 0 ? undefined : median(figures)
  })
  rows.set(kind, row)
  console.log(`| ${what} | ${row.map(whole).join(' | ')} |`)
}
// What a server is shown goes over in one frame, compressed (formats/wire.md); so are those of the others here.
const carried: number[] = []
for (const { grants } of chains.values()) carried.push((await encodeFrame({ proofs: grants })).length)
for (const [what, sizes] of [
  ['bytes of the certificates', [...chains.values()].map(({ grants }) => lengthOf(grants))],
  ['bytes of the certificates in a frame, as they are carried', carried],
  ['bytes with the request', [...chains.values()].map(({ withRequest }) => withRequest)],
] as const) {
  console.log(`| ${what} | ${sizes.map(whole).join(' | ')} |`)
}

await printGrowth()
const found = values.discovery ? await discover() : undefined

const figureOf = (kind: 'cold' | 'judged'): string => whole(rows.get(kind)?.[0])
const ratiosOf = (kind: 'cold' | 'judged'): string => {
  const [own, ...others] = rows.get(kind) as readonly number[]
  return others.map((other) => `${((own as number) / other).toFixed(1)} ×`).join(', ')
}
printRatios([
  ['cold chains in a second', figureOf('cold'), values.portable ? '' : '≥ 1,500'],
  ['cold, as many as each of the others', ratiosOf('cold'), '> 1 ×'],
  ['judged chains in a second', figureOf('judged'), '≥ 50,000'],
  ['judged, as many as each of the others', ratiosOf('judged'), '> 1 ×'],
  ['bytes of three certificates, as they are carried', whole(carried[0]), '≤ 1,024'],
  ['a chain found among 100,000 certificates', found ?? 'not run', '≤ 10 ms'],
])

/** Judges ever longer chains, with limits that let them through, and the longest under the limits that hold. */
async function printGrowth(): Promise<void> {
  const longest = HOPS.at(-1) as number
  const people = Array.from({ length: longest + 1 }, (_, i) => createSigner(secretOf(i + 1)))
  const expires = new Date(now.getTime() + 24 * 60 * 60 * 1000)
  const shown = await Promise.all(
    people.slice(1).map((to, i) => grant(people[i] as (typeof people)[number], to, expires)),
  )
  const proof = shown.map((bytes) => caps.openCapCert(decodeEnvelope(bytes)))
  const trust = trusting(people[0] as (typeof people)[number], now)
  const wide = { ...trust, limits: { certificates: longest, depth: longest } }
  const memo = caps.createSignatureMemo()
  const microseconds = async (run: () => unknown): Promise<number> =>
    1e6 / (await perSecond(run, Number(values.seconds) / 4))

  console.log('\n| hops | cold, µs | µs a hop | remembered, µs | µs a hop |\n|---|---|---|---|---|')
  for (const hops of HOPS) {
    const [question, certs] = [questionOf(people[hops] as (typeof people)[number]), proof.slice(0, hops)]
    const cold = await microseconds(() => demand(caps.reduce(question, certs, wide)))
    demand(caps.reduce(question, certs, { ...wide, memo }))
    const warm = await microseconds(() => demand(caps.reduce(question, certs, { ...wide, memo })))
    const figures = [hops, cold, cold / hops, warm].map(whole)
    console.log(`| ${figures.join(' | ')} | ${(warm / hops).toFixed(1)} |`)
  }
  const request = await caps.createCapRequest(
    { audience: vault, action: 'migrate', object: { path: [vault] }, nonce: new Uint8Array(16), at: now, expires },
    people.slice(-1),
  )
  console.log('')
  for (const hops of [11, longest]) {
    const envelopes = shown.slice(0, hops).map((bytes) => decodeEnvelope(bytes))
    const refuse = () => {
      const nonces = caps.createNonceLedger()
      const verdict = caps.authorize({ ...trust, request, proof: envelopes, audience: vault, nonces })
      if (verdict.ok) throw new Error(`${hops} hops were let through`)
      return verdict.code
    }
    console.log(`${hops} hops under the default limits: ${refuse()} in ${(await microseconds(refuse)).toFixed(1)} µs`)
  }
}

/** Finds and verifies three certificates among so many, of which none of the others grants to those who ask. */
async function discover(): Promise<string> {
  const expires = new Date(now.getTime() + 24 * 60 * 60 * 1000)
  const people = secrets.map(createSigner)
  const others = Array.from({ length: 300 }, (_, i) => createSigner(secretOf(1_000 + i)))
  const made = async (from: number, to: number, among: typeof people) => {
    const [by, on] = [among[from], among[to]] as [(typeof people)[number], (typeof people)[number]]
    return decodeEnvelope(await grant(by, on, expires))
  }
  const strangers: Awaited<ReturnType<typeof made>>[] = []
  for (let i = 0; i < STORED - 3; i++) strangers.push(await made(i % 300, (i * 7 + 1) % 300, others))
  const chain = await Promise.all([0, 1, 2].map((i) => made(i, i + 1, people)))
  const index = caps.createCertificateIndex([...strangers, ...chain])
  const question = questionOf(people[3] as (typeof people)[number])
  const trust = trusting(people[0] as (typeof people)[number], now)
  const times: number[] = []
  for (let i = 0; i < 200; i++) {
    const start = performance.now()
    demand((await caps.answer(question, index, trust)).verdict)
    times.push(performance.now() - start)
  }
  const [middle, worst] = [100, 198].map((i) => times.toSorted((a, b) => a - b)[i]?.toFixed(2))
  return `${middle} ms, 99 of 100 within ${worst} ms`
}
