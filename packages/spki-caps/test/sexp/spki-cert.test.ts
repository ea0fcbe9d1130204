import type { Tag } from '@vault/spki-caps'
import {
  ANY,
  covers,
  createCapCert,
  hashPrincipal,
  lintTag,
  namePrincipal,
  openCapCert,
  openNameCert,
  thresholdPrincipal,
  vaultTag,
} from '@vault/spki-caps'
import {
  formatSexp,
  parseSexp,
  readNameCert,
  readSpkiCert,
  tagFromSexp,
  tagToSexp,
  writeNameCert,
  writeSpkiCert,
} from '@vault/spki-caps/sexp'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { anyConcrete, anyTag } from '../arbitrary.ts'
import { matches } from '../reference-tag.ts'
import { codeOf, runs } from '../support.ts'
import { ana, authorizeHere, ben, cert, eva, HERE, MIGRATE, NOW, nameCert, nonce, request, tom } from '../world.ts'

const names = {
  principal: (name: string) => ({ 'vault-admin': ana.key, 'migration-operator': ben.key })[name],
  object: (name: string) => (name === 'vault-id' ? HERE : undefined),
}
const SEED = `(spki-cert
  (issuer vault-admin)
  (subject migration-operator)
  (capability
    (action migrate)
    (object vault-id))
  (validity (not-after "2026-02-01")))`

const withTest = (test: string) => SEED.replace('(not-after', `${test} (not-after`)

describe('spki-cert', () => {
  it('is read into a certificate that grants what it says, to the end of its day', async () => {
    const draft = readSpkiCert(parseSexp(SEED), names)
    expect(draft).toEqual({
      issuer: ana.key,
      subject: ben.key,
      tag: MIGRATE,
      delegate: false,
      expires: new Date('2026-02-02T00:00:00Z'),
    })
    const certificate = await createCapCert({ ...draft, nonce: nonce() }, [ana])
    expect(authorizeHere(await request([ben]), [certificate])).toMatchObject({ ok: true })
    const late = await request([ben], {
      at: new Date('2026-02-02T00:00:00Z'),
      expires: new Date('2026-02-02T00:00:09Z'),
    })
    expect(authorizeHere(late, [certificate], { now: new Date('2026-02-02T00:00:00Z') })).toMatchObject({
      code: 'CAPS_EXPIRED',
    })
    expect(NOW < new Date('2026-02-01')).toBe(true)
  })

  it('is written, and read back', async () => {
    const { record } = openCapCert(
      await cert(ana, ben.key, { tag: ['ftp', { set: ['read', 'write'] }], notBefore: NOW }),
    )
    const written = writeSpkiCert(record)
    expect(formatSexp(written)).toContain('(tag (ftp (* set read write))) (propagate) (validity')
    const byKey = { ...names, principal: (name: string) => [ana.key, ben.key].find((key) => key === name) }
    expect(readSpkiCert(written, byKey)).toEqual({
      issuer: ana.key,
      subject: ben.key,
      tag: record.tag,
      delegate: true,
      notBefore: NOW,
      expires: new Date((record.expires as number) * 1000),
    })
  })

  it('has its online tests, in whatever order and number', async () => {
    const tests = `(online reval (uri) vault-admin (max-age "600")) (online crl vault-admin (max-age "0"))
      (online one-time (uri) migration-operator (max-age "60"))`
    const { checks, ...rest } = readSpkiCert(parseSexp(withTest(tests)), names)
    expect(rest).toEqual(readSpkiCert(parseSexp(SEED), names))
    expect(checks).toEqual([
      { by: ana.key, maxAge: 600, kind: 'validation' },
      { by: ana.key, maxAge: 0 },
      { by: ben.key, maxAge: 60, kind: 'once' },
    ])
    const { record } = openCapCert(await cert(ana, ben.key, { checks: checks ?? [] }))
    const byKey = { ...names, principal: (name: string) => [ana.key, ben.key].find((key) => key === name) }
    expect(readSpkiCert(writeSpkiCert(record), byKey).checks).toEqual(checks)
    const only = withTest('(online reval vault-admin (max-age "5"))').replace('(not-after "2026-02-01")', '')
    expect(readSpkiCert(parseSexp(only), names)).toMatchObject({ expires: null, checks: [{ maxAge: 5 }] })
  })

  it('is written with thresholds, hashes, and for ever', async () => {
    const both = thresholdPrincipal(1, [ana.key, hashPrincipal(eva.key)])
    const { record } = openCapCert(await cert(ana, both, { tag: ANY, expires: null, delegate: false }))
    expect(formatSexp(writeSpkiCert(record))).toMatch(/\(subject \(k-of-n "1" "2" .*hash:b.*\(tag \(\*\)\)\)$/)
  })

  test.each<[string, string]>([
    ['no issuer', SEED.replace('(issuer vault-admin)', '')],
    ['an unknown issuer', SEED.replace('vault-admin', 'somebody')],
    ['an issuer twice', SEED.replace('(issuer vault-admin)', '(issuer vault-admin) (issuer vault-admin)')],
    ['an unknown object', SEED.replace('vault-id', 'another')],
    ['an unknown field', SEED.replace('(validity', '(condition (source-ip "10.0.0.1")) (validity')],
    ['more in a capability', SEED.replace('(action migrate)', '(action migrate) (limit "5")')],
    ['no capability', SEED.replace('capability', 'comment')],
    ['a day that does not exist', SEED.replace('2026-02-01', '2026-02-31')],
    ['a bound that is unknown', SEED.replace('not-after', 'not-later')],
    ['a delegation that is neither', SEED.replace('(validity', '(delegation perhaps) (validity')],
    ['another kind of list', SEED.replace('spki-cert', 'cert')],
    ['a test of another kind', withTest('(online never (uri) vault-admin (max-age "600"))')],
    ['a test with an address', withTest('(online reval (uri "https://example.org") vault-admin (max-age "600"))')],
    ['a test by nobody who is known', withTest('(online reval (uri) somebody (max-age "600"))')],
    ['a test by nobody', withTest('(online reval (uri) (max-age "600"))')],
    ['a test without an age', withTest('(online crl (uri) vault-admin)')],
    ['a test with an age that is none', withTest('(online crl (uri) vault-admin (max-age "6e2"))')],
    ['a test with two ages', withTest('(online crl (uri) vault-admin (max-age "6") (max-age "7"))')],
    ['a test with another part', withTest('(online crl vault-admin (max-age "6") (color red))')],
  ])('with %s is refused', (_, text) => {
    expect(codeOf(() => readSpkiCert(parseSexp(text), names))).toBe('CAPS_SEXP_INVALID')
  })

  it('grants everything by no action of that name', () => {
    expect(codeOf(() => readSpkiCert(parseSexp(SEED.replace('migrate', '*')), names))).toBe('CAPS_TAG_INVALID')
  })
})

describe('a name certificate', () => {
  const byKey = { principal: (name: string) => [ana.key, ben.key].find((key) => key === name) }

  it('is written as in RFC 2693, and read back', async () => {
    const { record } = openNameCert(
      await nameCert(ana, 'staff', namePrincipal(ben.key, 'friends', 'old'), { notBefore: NOW }),
    )
    const written = writeNameCert(record)
    expect(formatSexp(written)).toMatch(
      /^\(cert \(issuer \(name "?\S+ staff\)\) \(subject \(name \S+ friends old\)\) \(valid /,
    )
    const { issuer, name, subject, expires } = record
    expect(readNameCert(written, byKey)).toEqual({
      issuer,
      name,
      subject,
      notBefore: NOW,
      expires: new Date((expires as number) * 1000),
    })
    const granted = openCapCert(await cert(ana, subject)).record
    expect(readSpkiCert(writeSpkiCert(granted), { ...names, ...byKey }).subject).toEqual(subject)
  })

  test.each([
    ['no name', `(cert (issuer "${ana.key}") (subject "${ben.key}"))`],
    ['two words', `(cert (issuer (name "${ana.key}" a b)) (subject "${ben.key}"))`],
    ['a word that is none', `(cert (issuer (name "${ana.key}" Staff)) (subject "${ben.key}"))`],
    ['a name without words', `(cert (issuer (name "${ana.key}")) (subject "${ben.key}"))`],
    ['a name of a name', `(cert (issuer (name (name "${ana.key}" a) b)) (subject "${ben.key}"))`],
    ['a stranger', `(cert (issuer (name "${eva.key}" a)) (subject "${ben.key}"))`],
    ['another field', `(cert (issuer (name "${ana.key}" a)) (subject "${ben.key}") (tag (*)))`],
    ['another kind of list', `(spki-cert (issuer (name "${ana.key}" a)) (subject "${ben.key}"))`],
  ])('with %s is refused', (_, text) => {
    expect(codeOf(() => readNameCert(parseSexp(text), byKey))).toBe('CAPS_SEXP_INVALID')
  })
})

describe('tags in star forms', () => {
  it('come back granting no more than they did', () => {
    fc.assert(
      fc.property(anyTag, anyConcrete, (tag, asked) => {
        if (JSON.stringify(tag).match(/"(?:all|path)"/)) return
        const back = tagFromSexp(tagToSexp(tag))
        expect(covers(back, tag) && covers(tag, back)).toBe(true)
        expect(matches(back, asked)).toBe(matches(tag, asked))
      }),
      runs(1000),
    )
  })

  it('have paths as prefixes that end with a slash', () => {
    const text = formatSexp(tagToSexp(vaultTag({ actions: ['read'], object: HERE, path: ['my'] })))
    expect(text).toBe(`(vault read (* prefix ${HERE}/my/))`)
  })

  test.each<[string, Tag]>([
    ['(* range numeric g "4" l "7")', { range: { order: 'numeric', ge: '5', le: '6' } }],
    ['(* range numeric g "4" l "6")', '5'],
    ['(* range time ge "2026-02-01_00:00:00")', { range: { order: 'time', ge: '2026-02-01T00:00:00Z' } }],
    ['(* range time l "2026-02-01_00:00:00")', { range: { order: 'time', le: '2026-01-31T23:59:59Z' } }],
    ['(* range alpha g a)', { range: { order: 'alpha', gt: 'a' } }],
    ['(* set b a b)', { set: ['a', 'b'] }],
    ['(* set a)', 'a'],
    ['(* set a (*))', ANY],
    ['(*)', ANY],
  ])('%s is read', (text, tag) => {
    expect(tagFromSexp(parseSexp(text))).toEqual(tag)
  })

  it('keep a prefix that looks like a path one of characters, and lint says so', () => {
    const tag = tagFromSexp(parseSexp('(http (* prefix "/my"))'))
    expect(covers(tag, ['http', '/myPublic'])).toBe(true)
    expect(lintTag(tag).map(({ code }) => code)).toEqual(['CAPS_TAG_BARE_PREFIX'])
  })

  test.each([
    '(* set)',
    '(* suffix a)',
    '(* prefix)',
    '(* prefix a b)',
    '(* range binary ge a)',
    '(* range numeric ge)',
    '(* range numeric ge x)',
    '(* range numeric ge "1" g "0")',
    '(* range numeric toString "1")',
    '(* range numeric g "999999999999999")',
    '((a) b)',
    '()',
    '(a "*")',
    '(a #ff#)',
    '(a [hint]b)',
  ])('%s is refused', (text) => {
    expect(codeOf(() => tagFromSexp(parseSexp(text)))).toBe('CAPS_SEXP_INVALID')
  })

  it('have no form for rules of several kinds about one word', () => {
    expect(codeOf(() => tagToSexp({ all: [{ prefix: '1' }, { range: { order: 'numeric' } }] }))).toBe(
      'CAPS_SEXP_INVALID',
    )
  })
})

test('nobody is granted anything by an spki-cert itself', async () => {
  const draft = readSpkiCert(parseSexp(SEED), names)
  const forged = await createCapCert({ ...draft, nonce: nonce() }, [tom])
  expect(authorizeHere(await request([ben]), [forged])).toMatchObject({ code: 'CAPS_SIGNATURE' })
})
