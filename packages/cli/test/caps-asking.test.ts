import { describe, expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'
import { ownKeys } from './own-keys.ts'

interface Held {
  readonly subject: string
  readonly shares: readonly string[]
}

/** A vault whose council of three let carol read and write, and whose ana alone wanted to let mallory read. */
async function council() {
  const space = await scratch()
  const { options, ctl } = ownKeys(space)
  const keys: Record<string, string> = {}
  for (const name of ['ana', 'ben', 'eva', 'carol', 'dave', 'mallory']) {
    keys[name] = (await ctl<{ key: string }>(['keys', 'new', name, '--no-passphrase'])).key
  }
  await ctl(['init', 'A', '--no-passphrase'])
  const issue = async (...words: string[]) =>
    (await ctl<{ id: string }>(['caps', 'issue', 'A', '--action', 'read,write', ...words])).id
  await issue('--to', '2-of:ana,ben,eva', '--delegate', '--expires', '30d')
  const carol = await issue('--as', 'ana', '--as', 'eva', '--to', 'carol', '--delegate', '--expires', '20d')
  await issue('--as', 'ana', '--to', 'mallory', '--expires', '20d')
  const text = async (...words: string[]) => (await run('vaultctl', words, options)).stdout
  return { ctl, text, keys, carol, options, [Symbol.asyncDispose]: () => space[Symbol.asyncDispose]() }
}

describe('vaultctl caps, asked', () => {
  test('attenuate grants on less, and refuses what would be more', async () => {
    await using vault = await council()
    const { ctl, carol } = vault
    const attenuate = ['caps', 'attenuate', 'A', carol, '--to', 'dave']
    const narrower = [...attenuate, '--as', 'carol', '--action', 'write', '--object', 'photos', '--expires', '7d']
    expect(await ctl(narrower)).toMatchObject({ ok: true, from: carol, findings: [] })
    const asked = (path: string, ...words: string[]) => [
      'caps',
      'explain',
      'A',
      '--for',
      'dave',
      '--do',
      'write',
      '--on',
      path,
      ...words,
    ]
    expect(await ctl(asked('photos/a'))).toMatchObject({ ok: true })
    expect(await ctl(asked('docs'), 1)).toMatchObject({ code: 'CAPS_NOT_COVERED' })
    const { sequence } = await ctl(['status', 'A'])
    const wider = [...attenuate, '--as', 'carol', '--action', 'write,migrate', '--expires', '25d', '--delegate']
    const { error } = await ctl<{ error: { code: string; message: string } }>(wider, 1)
    expect(error.code).toBe('CAPS_WIDER')
    expect(error.message).toMatch(/an end at .*, nor the action migrate\./)
    expect(await ctl([...attenuate, '--as', 'carol', '--expires', 'never'], 1)).toMatchObject({
      error: { code: 'CAPS_WIDER' },
    })
    expect(await ctl([...attenuate, '--as', 'dave'], 1)).toMatchObject({ error: { code: 'CAPS_DENIED' } })
    expect(await ctl(attenuate, 2)).toMatchObject({ error: { code: 'USAGE' } })
    expect(await ctl(['status', 'A'])).toMatchObject({ sequence })
  })

  test('who can, what can, and the tree of it all', async () => {
    await using vault = await council()
    const { ctl, text, keys, carol } = vault
    const { held } = await ctl<{ held: Held[] }>(['caps', 'who-can', 'A', '--do', 'write', '--on', 'photos'])
    const alone = held.filter(({ shares }) => shares.length === 0).map(({ subject }) => subject)
    expect(alone).toEqual(expect.arrayContaining([expect.stringMatching(/^vault:/), keys.carol]))
    // The operators, this place, the council, carol.
    expect(alone).toHaveLength(4)
    expect(held.filter(({ shares }) => shares.length > 0)).toMatchObject([{ subject: keys.mallory }])
    const { held: movers } = await ctl<{ held: Held[] }>(['caps', 'who-can', 'A', '--do', 'migrate'])
    expect(movers).toHaveLength(2)

    const whatCan = (who: string) => ctl<{ alone: Held[]; together: Held[] }>(['caps', 'what-can', 'A', '--for', who])
    expect(await whatCan('carol')).toMatchObject({ alone: [{ subject: keys.carol }], together: [] })
    expect(await whatCan('ben')).toMatchObject({ alone: [], together: [{ subject: expect.stringMatching(/^2-of/) }] })
    expect(await whatCan('ana,ben')).toMatchObject({ alone: [{ subject: expect.stringMatching(/^2-of/) }] })
    expect(await whatCan('dave')).toMatchObject({ alone: [], together: [] })

    await ctl(['caps', 'revoke', 'A', carol])
    expect(await whatCan('carol')).toMatchObject({ alone: [], together: [] })
    const tree = await text('caps', 'tree', 'A')
    expect(tree).toMatch(/^the operators {2}everything\n├─ ✓ this place {2}everything/)
    expect(tree).toMatch(/✗ carol {2}read, write {2}CAPS_REVOKED/)
    expect(tree).toMatch(
      /– mallory {2}read, write, until .*, 1 of 2 halves of 2-of.*, by ana, counts only with another one/,
    )
    expect(await text('caps', 'tree', 'A', '--ids')).toContain(carol)
    const dot = await text('caps', 'tree', 'A', '--dot')
    expect(dot).toMatch(/^digraph [\s\S]*label="read, write\\nCAPS_REVOKED", style=dashed[\s\S]*\}\n$/)
    expect(await text('caps', 'tree', 'A', '--mermaid')).toMatch(/^flowchart TD\n {2}n0\["the operators"\]/)
    expect(await ctl(['caps', 'tree', 'A', '--dot', '--mermaid'], 2)).toMatchObject({ error: { code: 'USAGE' } })
    expect(await ctl(['caps', 'tree', 'A'])).toMatchObject({ trees: [{ below: [{}, { below: [{}, {}] }] }], loose: [] })
  })

  test('halves that members have issued each by himself are told with one another', async () => {
    await using vault = await council()
    const { ctl, text, keys } = vault
    const asked = ['caps', 'explain', 'A', '--for', 'mallory', '--do', 'write']
    const whoCan = async () =>
      (await ctl<{ held: Held[] }>(['caps', 'who-can', 'A', '--do', 'write'])).held
        .filter(({ shares }) => shares.length === 0)
        .some(({ subject }) => subject === keys.mallory)
    const whatCan = ['caps', 'what-can', 'A', '--for', 'mallory']
    await ctl(asked, 1)
    expect(await whoCan()).toBe(false)
    expect(await ctl(whatCan)).toMatchObject({ alone: [], together: [{ parts: [{ member: keys.ana, needed: 2 }] }] })
    expect(await text('caps', 'show', 'A')).toMatch(/1 of 2 halves of 2-of.*, by ana: counts only with another one/)

    const half = ['caps', 'issue', 'A', '--as', 'ben', '--to', 'mallory', '--action', 'write', '--expires', '9d']
    const { id, ...issued } = await ctl<{ id: string }>(half)
    expect(issued).toMatchObject({ findings: [] })
    expect(await ctl(asked)).toMatchObject({ ok: true })
    expect(await whoCan()).toBe(true)
    expect(await ctl(whatCan)).toMatchObject({
      alone: [
        {
          subject: keys.mallory,
          halves: [
            [{}, {}],
            [{}, id],
          ],
        },
      ],
    })
    const both = /mallory +write, until .*\n +by bafy\S+ → bafy\S+\n +and bafy\S+ → bafy/
    for (const words of [['show', 'A'], ['who-can', 'A', '--do', 'write'], whatCan.slice(1)])
      expect(await text('caps', ...words)).toMatch(both)
    expect(await text('caps', 'who-can', 'A', '--do', 'write')).not.toContain('Only together')
    // Each half is complete, and says so.
    for (const member of ['ana', 'ben'])
      expect(await text('caps', 'show', 'A')).toContain(`by ${member}: complete with others`)
    expect(await text(...whatCan)).not.toContain('counts only')
    const tree = await text('caps', 'tree', 'A')
    expect(tree).toMatch(/✓ mallory {2}read, write, .* 1 of 2 halves of .*, by ana, complete: together write/)
    expect(tree).toMatch(/✓ mallory {2}write, .* 1 of 2 halves of .*, by ben, complete: together write/)
    expect(await text('caps', 'tree', 'A', '--dot')).toContain('1 of 2 halves, complete')

    await ctl(['caps', 'revoke', 'A', id])
    await ctl(asked, 1)
    expect(await whoCan()).toBe(false)
    expect(await text('caps', 'tree', 'A', '--dot')).toMatch(/1 of 2 halves\\nuntil.*style=dashed/)
  })

  test('issue says what counts again that was granted on by something that was revoked', async () => {
    await using vault = await council()
    const { ctl, carol } = vault
    const onward = ['caps', 'issue', 'A', '--as', 'carol', '--to', 'dave', '--action', 'read']
    const { id: dave, ...issued } = await ctl<{ id: string }>(onward)
    expect(issued).toMatchObject({ revives: [] })
    await ctl(['caps', 'revoke', 'A', carol])
    const asked = ['caps', 'explain', 'A', '--for', 'dave', '--do', 'read']
    await ctl(asked, 1)
    const again = [
      'caps',
      'issue',
      'A',
      '--as',
      'ana',
      '--as',
      'eva',
      '--to',
      'carol',
      '--action',
      'read',
      '--delegate',
    ]
    const { stderr } = await run('vaultctl', again, vault.options)
    expect(stderr).toMatch(new RegExp(`another certificate counts that did not before: ${dave}`))
    expect(await ctl(asked)).toMatchObject({ ok: true })
    expect(await ctl(again)).toMatchObject({ revives: [] })
  })

  test('diff of two places: the same after a copy, and what was gained and lost since', async () => {
    await using vault = await council()
    const { ctl, text, carol } = vault
    await json('vault-migrate', ['run', '--no-handoff', '--from', 'A', '--to', 'B'], 0, vault.options)
    expect(await ctl(['caps', 'diff', 'A', 'B'])).toMatchObject({ ok: true, gained: [], lost: [] })
    await ctl(['caps', 'revoke', 'A', carol])
    expect(await ctl(['caps', 'diff', 'A', 'B'], 1)).toMatchObject({ ok: false, gained: [{}], lost: [] })
    expect(await ctl(['caps', 'diff', 'B', 'A'], 1)).toMatchObject({ ok: false, gained: [], lost: [{}] })
    expect(await text('caps', 'diff', 'A', 'B')).toMatch(/^\+ {2}carol[\s\S]*NOT the same: 3 grants kept, 1 gained/)
  })

  test('publish makes certificates count only while the operators say what was revoked', async () => {
    await using vault = await council()
    const { ctl } = vault
    expect(await ctl(['caps', 'publish', 'A', '--until', '2h'])).toMatchObject({ ok: true, revocations: 0 })
    expect(await ctl(['ls', 'A', '--as', 'carol'])).toMatchObject({ ok: true })
    expect(await ctl(['caps', 'publish', 'A', '--until', 'never'], 2)).toMatchObject({ error: { code: 'USAGE' } })
    expect(await ctl(['caps', 'publish', 'A', '--as', 'carol'], 1)).toMatchObject({
      error: { code: 'CAPS_OPERATORS_MISSING' },
    })
    expect(await ctl(['caps', 'publish', 'A', '--until', '1h'], 1)).toMatchObject({ error: { code: 'CAPS_SET_ENDS' } })
    await ctl(['keys', 'rotate', 'A', '--role', 'operators'])
    const refused = await run('vaultctl', ['ls', 'A', '--as', 'carol'], vault.options)
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/DENIED at root \(CAPS_STALE\)/)])
    await ctl(['ls', 'A'])
    // Whoever is refused is told who can do what about it, and so is whoever looks after the vault.
    const { dir } = await ctl<{ dir: string }>(['status', 'A'])
    const advice = `vaultctl caps publish ${dir}`
    expect(refused.stderr).toContain(advice)
    const asked = ['caps', 'explain', 'A', '--for', 'carol', '--do', 'read']
    expect(await ctl(asked, 1)).toMatchObject({ code: 'CAPS_STALE', advice })
    expect(await vault.text(...asked)).toMatch(/the last was signed before they were replaced[\s\S]*caps publish /)
    expect(await ctl(['status', 'A'])).toMatchObject({ published: { current: false, advice } })
    expect(await vault.text('status', 'A')).toContain(`refused (CAPS_STALE): ${advice}`)
    const { checks } = await ctl<{ checks: { name: string }[] }>(['doctor', 'A'], 1)
    expect(checks.find(({ name }) => name === 'revocations')).toMatchObject({
      ok: false,
      advice: expect.stringContaining(advice),
    })
    for (const command of [['show'], ['tree'], ['who-can', '--do', 'read'], ['what-can', '--for', 'carol']]) {
      const [verb = '', ...words] = command
      expect(await vault.text('caps', verb, 'A', ...words)).toContain(advice)
    }
    expect(await ctl(['caps', 'who-can', 'A', '--do', 'read'])).toMatchObject({ held: [] })
    const onward = ['caps', 'issue', 'A', '--as', 'carol', '--to', 'dave', '--action', 'read']
    expect(await ctl(onward, 1)).toMatchObject({ error: { code: 'CAPS_DENIED', details: { advice } } })
    await ctl(['caps', 'publish', 'A'])
    expect(await ctl(asked)).toMatchObject({ ok: true })
    expect(await ctl(['doctor', 'A'])).toMatchObject({ ok: true })
    expect(await ctl(['status', 'A'])).toMatchObject({ published: { current: true } })
  })

  test('demo has a chain for each code, with its trace', async () => {
    const { chains } = await json<{ chains: { code: string }[] }>('vaultctl', ['caps', 'demo'])
    const codes = new Set(chains.map(({ code }) => code))
    expect(codes.size).toBe(26)
    expect(await json('vaultctl', ['caps', 'demo', 'revoked'])).toMatchObject({
      chains: [
        { code: 'CAPS_REVOKED', name: 'revoked by its issuer', trace: [{}, {}, {}] },
        { code: 'CAPS_REVOKED', name: 'called so no more', trace: [{}, {}, {}, {}] },
      ],
    })
    const { stdout } = await run('vaultctl', ['caps', 'demo', 'CAPS_STALE'])
    expect(stdout).toMatch(/✗[\s\S]*STOP: [\s\S]*DENIED at .* \(CAPS_STALE\)/)
    expect(await json('vaultctl', ['caps', 'demo', 'granted'])).toMatchObject({
      chains: [
        { code: 'granted', name: 'one certificate' },
        { name: 'granted on by one who may' },
        { name: 'found in a heap' },
        { name: 'granted by two of three' },
        { name: 'validated a minute ago' },
        { name: 'found in a heap, validated' },
        { name: 'validated for this one request' },
        { name: 'granted to a name' },
        { name: 'granted to a name of a name, and found in a heap' },
        { name: 'granted on by one who is called so' },
        { name: 'granted to one of each of two names' },
        { name: 'a root that is a name' },
      ],
    })
    expect(await json('vaultctl', ['caps', 'demo', 'nothing'], 2)).toMatchObject({ error: { code: 'USAGE' } })
  })
})
