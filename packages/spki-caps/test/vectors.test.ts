import { readFileSync } from 'node:fs'
import type { ContentId } from '@vault/core'
import { decodeEnvelope, link } from '@vault/core'
import { parsePrincipal, parseTag } from '@vault/spki-caps'
import { type DemoChain, demoChains, judgeDemo } from '@vault/spki-caps/demo'
import { describe, expect, test } from 'vitest'
import { vectorCases } from './vector-cases.ts'

const FOLDER = new URL('../../../vectors/', import.meta.url)
const read = (path: string) => JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8'))
const chains = await demoChains()

describe('the demo chains', () => {
  test.each(chains)('$name: $code', async (chain) => {
    const verdict = await judgeDemo(chain)
    expect(verdict.ok ? undefined : verdict.code).toBe(chain.code)
  })

  test('are one for each code that a README lists for a verdict', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const table = readme.slice(readme.indexOf('as the `code` of a verdict:'), readme.indexOf('What `lintTag`'))
    const listed = [...table.matchAll(/^\| `(CAPS_\w+)`/gm)].map(([, code]) => code)
    expect(listed).toHaveLength(25)
    expect(new Set(chains.flatMap(({ code }) => code ?? []))).toEqual(new Set(listed))
  })
})

describe('the published vectors', () => {
  test.each([
    ['valid', 'chains'],
    ['invalid', 'chains'],
    ['valid', 'validated-chains'],
    ['invalid', 'validated-chains'],
    ['valid', 'name-chains'],
    ['invalid', 'name-chains'],
  ])('hold: capability/v1/%s/%s', async (kind, name) => {
    for (const written of read(`capability/v1/${kind}/${name}.json`)) {
      const verdict = await judgeDemo(chainOf(written))
      expect([written.name, verdict.ok ? undefined : verdict.code]).toEqual([written.name, written.code])
      expect(verdict.ok).toBe(kind === 'valid')
    }
  })

  test('are still what the implementation writes', async () => {
    for (const [path, cases] of Object.entries(await vectorCases()))
      expect(read(path), path).toEqual(JSON.parse(JSON.stringify(cases)))
  })
})

// biome-ignore lint/suspicious/noExplicitAny: the fields of a case are those of its file, described in vectors/README.md
function chainOf({ now, roots, histories, revocations, validations, request, proof, ...rest }: any): DemoChain {
  const envelope = (hex: string) => decodeEnvelope(Uint8Array.from(Buffer.from(hex, 'hex')))
  return {
    ...rest,
    now: new Date(now),
    roots: roots.map(({ subject, tag, ...root }: Record<string, unknown>) => ({
      ...root,
      subject: parsePrincipal(fromDagJson(subject)),
      tag: parseTag(fromDagJson(tag)),
    })),
    histories: histories.map((history: string[]) => history.map(envelope)),
    revocations:
      revocations === 'unchecked'
        ? revocations
        : { revocations: revocations.revocations.map(envelope), sets: revocations.sets.map(envelope) },
    ...(validations === undefined ? {} : { validations: validations.map(envelope) }),
    request: envelope(request),
    proof: proof.map(envelope),
  }
}

function fromDagJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromDagJson)
  if (typeof value !== 'object' || value === null) return value
  const inner = (value as Record<string, unknown>)['/']
  if (typeof inner === 'string') return link(inner as ContentId)
  if (inner !== undefined) return Uint8Array.from(Buffer.from((inner as { bytes: string }).bytes, 'base64'))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromDagJson(item)]))
}
