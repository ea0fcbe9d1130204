/**
 * Chains of three certificates and a signed request, decided again and again:
 *
 *   pnpm run bench:caps [--portable] [--seconds N] [--discovery]
 *
 * `--discovery` measures as well how long it takes to find a chain among 100,000 certificates, which have to be signed first.
 * `--portable` hides the platform's own cryptography, so that the signatures are verified as in a browser.
 */
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    portable: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '2' },
    discovery: { type: 'boolean', default: false },
  },
})
// Before anything of ours is loaded: which implementation is used is decided then.
if (values.portable) Object.assign(process, { getBuiltinModule: () => undefined })
const { contentId, createSigner, systemRandom, utf8 } = await import('@vault/core')
const caps = await import('@vault/spki-caps')

const people = Array.from({ length: 4 }, (_, i) => createSigner(new Uint8Array(32).fill(i + 1)))
const keys = people.map(({ key }) => key)
const vault = contentId(utf8('bench'), { hash: 'sha2-256', codec: 'dag-cbor' })
const now = new Date('2026-01-15T12:00:00Z')
const expires = new Date('2026-01-16T00:00:00Z')
const tag = caps.vaultTag({ actions: ['migrate', 'read', 'write'], object: vault })
const root = {
  name: 'bench',
  subject: keys[0] as (typeof keys)[number],
  tag,
  delegate: true,
  revocations: 'none' as const,
}

const proof = await Promise.all(
  [0, 1, 2].map((i) =>
    caps.createCapCert(
      {
        issuer: keys[i] as (typeof keys)[number],
        subject: keys[i + 1] as (typeof keys)[number],
        tag,
        delegate: true,
        expires,
        nonce: systemRandom(16),
      },
      people.slice(i, i + 1),
    ),
  ),
)
const request = await caps.createCapRequest(
  { audience: vault, action: 'migrate', object: { path: [vault] }, nonce: systemRandom(16), at: now, expires },
  people.slice(3),
)
const circumstances = {
  roots: [root],
  keys: caps.createKeyDirectory([]),
  revocations: 'unchecked' as const,
  now,
}
const certificates = proof.map(caps.openCapCert)
const question = {
  action: 'migrate',
  tag: caps.askedTag('migrate', { path: [vault] }),
  voices: caps.knownVoices(keys.slice(3)),
}

function rate(what: string, run: () => { readonly ok: boolean }): void {
  const until = performance.now() + Number(values.seconds) * 1000
  const start = performance.now()
  let count = 0
  while (performance.now() < until) {
    if (!run().ok) throw new Error(`${what}: refused`)
    count++
  }
  const perSecond = Math.round((count * 1000) / (performance.now() - start)).toLocaleString('en')
  console.log(`${what.padEnd(52)} ${perSecond.padStart(9)}/s`)
}

const nonces = () => caps.createNonceLedger()
const memo = caps.createSignatureMemo()
console.log(
  `${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(2)}${values.portable ? ', portable' : ''}`,
)
rate('cold: four signatures', () =>
  caps.authorize({ ...circumstances, request, proof, audience: vault, nonces: nonces() }),
)
rate('warm: the signatures of certificates remembered', () =>
  caps.authorize({ ...circumstances, request, proof, audience: vault, nonces: nonces(), memo }),
)
rate('reduced: read, remembered, no signed request', () =>
  caps.reduce(question, certificates, { ...circumstances, memo }),
)

if (values.discovery) await discover(100_000)

/** Finds and verifies three certificates in an index of so many, of which none of the others grants to those who ask. */
async function discover(stored: number): Promise<void> {
  const others = Array.from({ length: 300 }, (_, i) => createSigner(new Uint8Array(32).fill(i >> 8).fill(i, 8)))
  const strangers = await Promise.all(
    Array.from({ length: stored - proof.length }, (_, i) => {
      const [by, to] = [others[i % 300], others[(i * 7 + 1) % 300]] as [
        (typeof people)[number],
        (typeof people)[number],
      ]
      const draft = { issuer: by.key, subject: to.key, tag, delegate: true, expires, nonce: systemRandom(16) }
      return caps.createCapCert(draft, [by])
    }),
  )
  const index = caps.createCertificateIndex([...strangers, ...proof])
  const times: number[] = []
  for (let i = 0; i < 200; i++) {
    const start = performance.now()
    if (!(await caps.answer(question, index, circumstances)).verdict.ok) throw new Error('discovery: refused')
    times.push(performance.now() - start)
  }
  const [median, worst] = [100, 198].map((i) => times.toSorted((a, b) => a - b)[i]?.toFixed(2))
  const what = `discovery among ${stored.toLocaleString('en')} certificates`
  console.log(`${what.padEnd(52)} ${`${median} ms`.padStart(11)}, 99 of 100 within ${worst} ms`)
}
