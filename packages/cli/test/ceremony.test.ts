import { execFileSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

type Space = Awaited<ReturnType<typeof scratch>>

interface Step {
  readonly ok: boolean
  readonly phase: string
  readonly ceremony: string
  readonly did: readonly { readonly what: string }[]
}

/** Runs `vaultctl` as one of several people, each with a keystore of his own. */
const peopleIn = (space: Space) => ({
  as: (who: string) => (args: readonly string[], code?: number) =>
    json<Step & Record<string, string>>('vaultctl', args, code, { env: { VAULT_KEYSTORE: space.at(`keys-${who}`) } }),
})

/** A vault, and ana who knows the keys of all others by their names. */
async function fourPeople(space: Space) {
  const { as } = peopleIn(space)
  const [ana, ben, eva, tom] = [as('ana'), as('ben'), as('eva'), as('tom')]
  await ana(['init', space.at('vault'), '--no-passphrase'])
  for (const [who, by] of Object.entries({ ana, ben, eva, tom })) {
    const { key } = await by(['keys', 'new', who, '--no-passphrase'])
    if (who !== 'ana') await ana(['keys', 'trust', who, key as string])
    execFileSync('age-keygen', ['-o', space.at(`${who}.age`)], { stdio: 'ignore' })
  }
  const recipient = async (who: string) => /public key: (\S+)/.exec(await readFile(space.at(`${who}.age`), 'utf8'))?.[1]
  return { ana, ben, eva, tom, recipient }
}

/** A vault that ana, ben and eva have founded together: any two of them are its identity, and its operators. */
async function vaultOfThree(space: Space) {
  const { as } = peopleIn(space)
  const [ana, ben, eva] = [as('ana'), as('ben'), as('eva')]
  for (const [who, by] of Object.entries({ ana, ben, eva })) {
    const { key } = await by(['keys', 'new', who, '--no-passphrase'])
    if (who !== 'ana') await ana(['keys', 'trust', who, key as string])
  }
  const [vault, dir] = [space.at('vault'), space.at('founding')]
  const roles = ['--identity', '2:ana,ben,eva', '--operators', '2:ana,ben,eva']
  await ana(['ceremony', 'plan', vault, '--out', dir, '--as', 'ana', '--found', ...roles])
  for (const [who, by] of Object.entries({ ana, ben, eva })) await by(['ceremony', 'join', dir, '--as', who])
  await ana(['ceremony', 'join', dir, '--vault', vault])
  await ana(['ceremony', 'commit', dir, '--to', vault])
  return { vault, ana, ben, eva }
}

describe('vaultctl ceremony', () => {
  test('gives a vault to a council of three, and is verified elsewhere from its folder', async () => {
    await using space = await scratch()
    const { ana, ben, eva, tom, recipient } = await fourPeople(space)
    const [vault, dir] = [space.at('vault'), space.at('council')]
    const { public_key: anaKey } = await ana(['keys', 'export', 'ana'])
    const planned = await ana([
      ...['ceremony', 'plan', vault, '--out', dir, '--as', 'ana', '--log', 'new', '--witness', 'tom'],
      ...['--identity', '2:ana,ben,eva', '--operators', '2:ana,ben,eva', '--split', 'ana', '--threshold', '2'],
      ...['--holder', `ben=${await recipient('ben')}`, `eva=${await recipient('eva')}`],
    ])
    expect(planned).toMatchObject({ ok: true, phase: 'open' })
    // What two rules ask of the same people is said once.
    const two = space.at('two')
    await ana(['ceremony', 'plan', vault, '--out', two, '--as', 'ana', '--identity', '2:ana,ben'])
    expect((await run('vaultctl', ['ceremony', 'status', two])).stdout.match(/^– lacks .*$/gm)).toEqual([
      '– lacks 1 contribution of identity-1',
      expect.stringMatching(/^– lacks 2 contributions of (ana, ben|ben, ana)$/),
    ])
    const keep = (who: string) => ['--age-identity', space.at(`${who}.age`), '--keep', space.at(`shares-${who}`)]
    // The keys of the first owner, and the new log key, lie in the vault.
    expect((await ana(['ceremony', 'join', dir, '--vault', vault])).did).toHaveLength(2)
    await ana(['ceremony', 'join', dir, '--as', 'ana'])
    // Each of the others works in a copy of the folder, and sends back what is new in it.
    for (const [who, by] of Object.entries({ ben, eva })) {
      await cp(dir, space.at(`copy-${who}`), { recursive: true })
      const joined = await by([
        'ceremony',
        'join',
        space.at(`copy-${who}`),
        '--as',
        who,
        '--plan',
        planned.ceremony,
        ...keep(who),
      ])
      expect(joined.did.map(({ what }) => what)).toEqual(['contribution', 'receipt'])
      expect(await by(['ceremony', 'commit', space.at(`copy-${who}`)], 4)).toMatchObject({
        error: { code: 'CEREMONY_INCOMPLETE' },
      })
    }
    expect(await ana(['ceremony', 'verify', dir], 4)).toMatchObject({ ok: false, phase: 'open' })
    for (const who of ['ben', 'eva']) await cp(space.at(`copy-${who}`), dir, { recursive: true })
    expect(await ana(['ceremony', 'status', dir])).toMatchObject({ ok: true, phase: 'ready', owed: [] })
    expect(await ana(['ceremony', 'commit', dir, '--to', vault], 4)).toMatchObject({
      error: { code: 'CEREMONY_INCOMPLETE' },
    })
    expect((await tom(['ceremony', 'join', dir, '--as', 'tom'])).did).toMatchObject([{ what: 'attestation' }])
    const done = await ana(['ceremony', 'commit', dir, '--to', vault, '-m', 'three of us'])
    expect(done).toMatchObject({ ok: true, phase: 'complete', sequence: 1 })
    expect(await ana(['ceremony', 'commit', dir, '--to', vault])).toMatchObject({ key_event: done.key_event })
    await writeFile(space.at('notes'), 'text')
    await ana(['put', vault, space.at('notes')])
    expect(await ana(['log', vault, '--verify'])).toMatchObject({ ok: true, entries: 3 })
    const log = await run('vaultctl', ['log', vault, '--json'])
    expect(log.stdout).toContain(done.transcript)
    // On another machine: no vault, no keystore, no secret.
    await cp(dir, space.at('elsewhere'), { recursive: true })
    for (const name of ['vault', 'keys-ana', 'council']) await rm(space.at(name), { recursive: true })
    const { code, stdout } = await run('vaultctl', ['ceremony', 'verify', space.at('elsewhere')])
    expect([code, stdout]).toEqual([0, expect.stringContaining('It is complete, and holds.')])
    expect(stdout).toContain('✓ ben (ed25519:')
    const name = (await readdir(space.at('elsewhere'))).find((each) => each.startsWith('receipt-')) as string
    await rm(space.at('elsewhere', name))
    expect(await ana(['ceremony', 'verify', space.at('elsewhere')], 1)).toMatchObject({
      findings: [{ code: 'CEREMONY_FILE_FOREIGN' }, { code: 'CEREMONY_COMMIT_INVALID' }],
    })
    // The shares give the key back, as they lie with their holders.
    const shares = await Promise.all(
      ['ben', 'eva'].map(async (who) =>
        space.at(`shares-${who}`, (await readdir(space.at(`shares-${who}`)))[0] as string),
      ),
    )
    const back = ['keys', 'recover', 'ana2', '--no-passphrase', '--from', ...shares]
    expect(await ben(back, 1)).toMatchObject({ error: { code: 'KEY_SHARE_SEALED' } })
    const recovered = await ben([...back, '--age-identity', space.at('ben.age'), space.at('eva.age')])
    expect(recovered.key).toBe(anaKey)
  })

  test('shares a key of the vault out anew, and ends the vault, by two of three', async () => {
    await using space = await scratch()
    const { vault, ana, ben, eva } = await vaultOfThree(space)
    await writeFile(space.at('notes'), 'text')
    await ana(['put', vault, space.at('notes')])
    const plan = (out: string) => ['ceremony', 'plan', vault, '--as', 'ana', '--out', space.at(out)]
    expect(await ana([...plan('reshare'), '--reshare', '--retire'], 2)).toMatchObject({ error: { code: 'USAGE' } })
    expect(await ana([...plan('reshare'), '--retire', '--identity', 'ana'], 2)).toMatchObject({
      error: { code: 'USAGE' },
    })
    expect(await ana([...plan('reshare'), '--reshare'], 1)).toMatchObject({ error: { code: 'CEREMONY_PLAN_INVALID' } })
    const holders: string[] = []
    for (const who of ['ben', 'eva']) {
      execFileSync('age-keygen', ['-o', space.at(`${who}.age`)], { stdio: 'ignore' })
      holders.push(`${who}=${/public key: (\S+)/.exec(await readFile(space.at(`${who}.age`), 'utf8'))?.[1]}`)
    }
    await ana([...plan('reshare'), '--reshare', '--split', 'ana', '--threshold', '2', '--holder', ...holders])
    await ana(['ceremony', 'join', space.at('reshare'), '--as', 'ana'])
    for (const [who, by] of Object.entries({ ben, eva })) {
      const keep = ['--age-identity', space.at(`${who}.age`), '--keep', space.at(`shares-${who}`)]
      await by(['ceremony', 'join', space.at('reshare'), '--as', who, ...keep])
    }
    const reshared = await ana(['ceremony', 'commit', space.at('reshare'), '--to', vault])
    expect(reshared).toMatchObject({ why: 'reshare', sequence: 1 })
    await ana([...plan('end'), '--retire'])
    await ben(['ceremony', 'join', space.at('end'), '--as', 'ben'])
    expect(await ana(['ceremony', 'commit', space.at('end'), '--to', vault], 4)).toMatchObject({
      error: { code: 'CEREMONY_INCOMPLETE' },
    })
    await ana(['put', vault, space.at('notes')])
    await eva(['ceremony', 'join', space.at('end'), '--as', 'eva'])
    const end = ['ceremony', 'commit', space.at('end'), '--to', vault]
    expect(await ana(end)).toMatchObject({ why: 'retire', sequence: 2 })
    const ended = { error: { code: 'VAULT_RETIRED' } }
    const name = space.at('notes').slice(1)
    expect(await ana(['put', vault, space.at('notes')], 1)).toMatchObject(ended)
    expect(await ana(['rm', vault, name], 1)).toMatchObject(ended)
    expect(await ana([...plan('more'), '--identity', 'ana'], 1)).toMatchObject({
      error: { code: 'KEY_EVENT_RETIRED' },
    })
    // It can be read, verified and copied; and moves nowhere.
    for (const read of [
      ['verify', vault],
      ['log', vault, '--verify'],
      ['get', vault, name, '-o', space.at('out')],
    ])
      await ana(read)
    const ends = ['--from', vault, '--to', space.at('elsewhere')]
    expect(await json('vault-migrate', ['run', ...ends], 1)).toMatchObject({
      error: { code: 'MIGRATION_SOURCE_REFUSED' },
    })
    await json('vault-migrate', ['run', '--no-handoff', ...ends])
    expect(await ana(['verify', space.at('elsewhere')])).toMatchObject({ ok: true })
  })

  test('commits to the identity that follows, before which nobody else gets past a witness', async () => {
    await using space = await scratch()
    const { ana, ben, tom } = await fourPeople(space)
    const vault = space.at('vault')
    const plan = (out: string) => ['ceremony', 'plan', vault, '--as', 'ana', '--out', space.at(out)]
    const join = async (out: string) => {
      await ana(['ceremony', 'join', space.at(out), '--as', 'ana'])
      await tom(['ceremony', 'join', space.at(out), '--as', 'tom'])
    }
    const says = ['--event-witnesses', '1:tom', '--next', '1:ben']
    expect(await ana([...plan('x'), '--retire', ...says], 2)).toMatchObject({ error: { code: 'USAGE' } })
    await ana([...plan('first'), '--identity', '1:ana', ...says])
    await ana(['ceremony', 'join', space.at('first'), '--vault', vault])
    await join('first')
    expect(await ana(['ceremony', 'commit', space.at('first'), '--to', vault])).toMatchObject({ sequence: 1 })
    // What a thief of the identity would do is not even planned.
    for (const wish of [['--retire'], ['--event-witnesses', 'none'], ['--next', 'none'], ['--identity', '1:eva']])
      expect(await ana([...plan('theft'), ...wish], 1)).toMatchObject({ error: { code: 'KEY_EVENT_COMMITMENT' } })
    await ana([...plan('second'), '--identity', '1:ben', '--event-witnesses', 'none'])
    await join('second')
    expect(await ana(['ceremony', 'commit', space.at('second'), '--to', vault], 4)).toMatchObject({
      error: { code: 'CEREMONY_INCOMPLETE' },
    })
    await ben(['ceremony', 'join', space.at('second'), '--as', 'ben'])
    expect(await ana(['ceremony', 'commit', space.at('second'), '--to', vault])).toMatchObject({ sequence: 2 })
  })

  test('moves a vault whose identity is two of three, who sign elsewhere', async () => {
    await using space = await scratch()
    const { as } = peopleIn(space)
    const { vault, eva, ana, ben } = await vaultOfThree(space)
    const [target, dir] = [space.at('target'), space.at('move')]
    await writeFile(space.at('notes'), 'text')
    await ana(['put', vault, space.at('notes')])
    const env = { env: { VAULT_KEYSTORE: space.at('keys-ana') } }
    const ends = ['--from', vault, '--to', target]
    const migrate = (args: readonly string[], code: number) => json('vault-migrate', args, code, env)
    // Nobody here can sign, and nothing is said of where others could.
    expect(await migrate(['run', ...ends], 4)).toMatchObject({ error: { code: 'MIGRATION_IDENTITY_MISSING' } })
    const go = [...ends, '--ceremony', dir]
    expect(await migrate(['resume', ...go], 4)).toMatchObject({ error: { code: 'CEREMONY_INCOMPLETE' } })
    // Until then it is active, and takes changes.
    await writeFile(space.at('more'), 'more text')
    await ana(['put', vault, space.at('more')])
    const plan = await ana(['ceremony', 'status', dir])
    expect(plan).toMatchObject({ phase: 'open', why: 'migrate', owed: [{ what: 'contribution', needed: 2 }] })
    expect((await run('vaultctl', ['ceremony', 'status', dir])).stdout).toMatch(/by the migration [0-9a-f]{32} to the/)
    await ana(['ceremony', 'join', dir, '--as', 'ana'])
    expect(await migrate(['resume', ...go], 4)).toMatchObject({ error: { code: 'CEREMONY_INCOMPLETE' } })
    // Not with the signatures of a ceremony about something else.
    expect(await migrate(['resume', ...ends, '--ceremony', space.at('founding')], 1)).toMatchObject({
      error: { code: 'CEREMONY_OTHER_VAULT' },
    })
    await cp(dir, space.at('copy'), { recursive: true })
    await eva(['ceremony', 'join', space.at('copy'), '--as', 'eva'])
    await cp(space.at('copy'), dir, { recursive: true })
    expect(await migrate(['resume', ...go], 0)).toMatchObject({ ok: true, phase: 'complete', state: 'active' })
    expect(await ben(['ceremony', 'verify', dir])).toMatchObject({ ok: true, phase: 'complete' })
    const { events } = await json<{ events: readonly object[] }>('vaultctl', ['keys', 'history', target], 0, env)
    const of = (n: number) => ({ threshold: n })
    expect(events.at(-1)).toMatchObject({ why: 'migrate', roles: { identity: of(2), operators: of(2), log: of(1) } })
    expect(await ana(['verify', target])).toMatchObject({ ok: true })
    await writeFile(space.at('third'), 'third')
    await ana(['put', target, space.at('third')])
    expect(await ana(['put', vault, space.at('third')], 1)).toMatchObject({ ok: false })
    for (const who of ['ana', 'ben']) await cp(space.at(`keys-${who}`), space.at('keys-both'), { recursive: true })
    const issue = ['caps', 'issue', target, '--to', 'eva', '--action', 'read', '--as', 'ana', '--as', 'ben']
    expect(await as('both')(issue)).toMatchObject({ ok: true, findings: [] })
  })

  test('founds a vault of three in an empty folder, of whose keys none but the log key lies there', async () => {
    await using space = await scratch()
    const { as } = peopleIn(space)
    const [ana, ben, eva] = [as('ana'), as('ben'), as('eva')]
    const keys: Record<string, string> = {}
    for (const [who, by] of Object.entries({ ana, ben, eva })) {
      keys[who] = (await by(['keys', 'new', who, '--no-passphrase'])).key as string
      if (who !== 'ana') await ana(['keys', 'trust', who, keys[who]])
    }
    const [vault, dir] = [space.at('vault'), space.at('founding')]
    const plan = ['ceremony', 'plan', vault, '--out', dir, '--as', 'ana', '--found']
    expect(await ana([...plan, '--identity', '2:ana,ben,eva'], 2)).toMatchObject({ error: { code: 'USAGE' } })
    const planned = await ana([...plan, '--identity', '2:ana,ben,eva', '--operators', '2:ana,ben,eva'])
    expect(planned).toMatchObject({ phase: 'open', why: 'inception', sequence: 0 })
    // Nobody can do anything there yet, and nothing is founded before all have signed.
    expect(await ana(['status', vault], 1)).toMatchObject({ error: { code: 'VAULT_NOT_FOUND' } })
    expect((await ana(['ceremony', 'join', dir, '--vault', vault])).did).toMatchObject([{ what: 'contribution' }])
    for (const [who, by] of Object.entries({ ana, ben })) await by(['ceremony', 'join', dir, '--as', who])
    expect(await ana(['ceremony', 'commit', dir, '--to', vault], 4)).toMatchObject({
      error: { code: 'CEREMONY_INCOMPLETE' },
    })
    await eva(['ceremony', 'join', dir, '--as', 'eva'])
    expect(await ana(['ceremony', 'commit', dir, '--to', space.at('elsewhere')], 1)).toMatchObject({
      error: { code: 'VAULT_NOT_FOUND' },
    })
    for (const _ of ['once', 'again'])
      expect(await ana(['ceremony', 'commit', dir, '--to', vault])).toMatchObject({ phase: 'complete' })
    const lying = (await readdir(space.at('vault', 'keys'))).map((name) => name.split('-')[0]).sort()
    expect(lying).toEqual(['log', 'place'])
    expect(await ana(['status', vault])).toMatchObject({ ok: true, vault: planned.vault })
    // Another one is not founded over it, nor the same one in another folder.
    const second = ['--out', space.at('second'), '--identity', 'ana', '--operators', 'ana']
    await ana(['ceremony', 'plan', space.at('other'), '--found', '--as', 'ana', ...second])
    for (const join of [
      ['--as', 'ana'],
      ['--vault', space.at('other')],
    ])
      await ana(['ceremony', 'join', space.at('second'), ...join])
    expect(await ana(['ceremony', 'commit', dir, '--to', space.at('other')], 1)).toMatchObject({
      error: { code: 'CEREMONY_LOG_KEY_MISSING' },
    })
    expect(await ana(['ceremony', 'commit', space.at('second'), '--to', vault], 1)).toMatchObject({
      error: { code: 'VAULT_EXISTS' },
    })
    await writeFile(space.at('notes'), 'text')
    await ana(['put', vault, space.at('notes')])
    // Two of them together are the operators; the place gets its certificate by them.
    for (const who of ['ana', 'ben']) await cp(space.at(`keys-${who}`), space.at('keys-both'), { recursive: true })
    const both = as('both')
    const issue = ['caps', 'issue', vault, '--to', keys.eva as string, '--action', 'read']
    expect(await both([...issue, '--as', 'ana'], 1)).toMatchObject({ error: { code: 'CAPS_OPERATORS_MISSING' } })
    expect(await both([...issue, '--as', 'ana', '--as', 'ben'])).toMatchObject({ ok: true, findings: [] })
    const asked = ['caps', 'explain', vault, '--for', keys.eva as string, '--do']
    expect(await eva([...asked, 'read'])).toMatchObject({ ok: true })
    expect(await eva([...asked, 'write'], 1)).toMatchObject({ ok: false })
    expect(await ana(['log', vault, '--verify'])).toMatchObject({ ok: true, entries: 3 })
    const { transcript } = await ana(['ceremony', 'status', dir])
    expect((await run('vaultctl', ['log', vault, '--json'])).stdout).toContain(transcript)
    await cp(dir, space.at('stranger'), { recursive: true })
    const { code, stdout } = await run('vaultctl', ['ceremony', 'verify', space.at('stranger')])
    expect([code, stdout]).toEqual([0, expect.stringContaining(`the vault ${planned.vault} is founded:`)])
  })

  test('splits a key without a vault, and says what is wrong with a command', async () => {
    await using space = await scratch()
    const { ana, ben, eva, recipient } = await fourPeople(space)
    const dir = space.at('backup')
    const split = ['ceremony', 'plan', '--out', dir, '--as', 'ana', '--split', 'ana', '--threshold', '2', '--holder']
    expect(await ana([...split, 'ben=age1x'], 2)).toMatchObject({ error: { code: 'USAGE' } })
    expect(await ana([...split, 'bob=age1x', 'eva=age1y'], 2)).toMatchObject({ error: { code: 'USAGE' } })
    expect(await ana([...split, 'ben=x', 'eva=y'], 1)).toMatchObject({ error: { code: 'CAPS_RECORD_INVALID' } })
    const holders = ['ben=age1x', 'eva=age1y']
    // What would be left out without a word is no command.
    for (const more of [['--identity', '2:ana,ben'], ['--retire'], ['--next', 'none']])
      expect(await ana([...split, ...holders, ...more], 2)).toMatchObject({ error: { code: 'USAGE' } })
    const plan = ['ceremony', 'plan', '--out', dir, '--as', 'ana']
    for (const more of [
      ['--threshold', '2'],
      ['--holder', ...holders],
      ['--software-digest', 'xyz'],
    ])
      expect(await ana([...plan, ...more], 2)).toMatchObject({ error: { code: 'USAGE' } })
    expect(await ana([...split, ...holders, '--witness', '3:ben,eva'], 2)).toMatchObject({ error: { code: 'USAGE' } })
    await ana([...split, `ben=${await recipient('ben')}`, `eva=${await recipient('eva')}`])
    expect(await ana(['ceremony', 'join', dir], 2)).toMatchObject({ error: { code: 'USAGE' } })
    await ana(['ceremony', 'join', dir, '--as', 'ana'])
    expect(await ben(['ceremony', 'join', dir, '--as', 'ben'], 1)).toMatchObject({
      error: { code: 'CEREMONY_SHARE_WAITS' },
    })
    const wrong = ['--age-identity', space.at('eva.age'), '--keep', space.at('shares')]
    expect(await ben(['ceremony', 'join', dir, '--as', 'ben', ...wrong], 1)).toMatchObject({
      error: { code: 'KEY_SHARE_SEALED' },
    })
    for (const [who, by] of Object.entries({ ben, eva })) {
      const keep = ['--age-identity', space.at(`${who}.age`), '--keep', space.at('shares')]
      await by(['ceremony', 'join', dir, '--as', who, ...keep])
    }
    expect(await ana(['ceremony', 'commit', dir])).toMatchObject({ ok: true, phase: 'complete' })
    expect(await ben(['ceremony', 'verify', dir])).toMatchObject({ ok: true })
    await mkdir(space.at('empty'))
    expect(await ben(['ceremony', 'verify', space.at('empty')], 1)).toMatchObject({
      error: { code: 'CEREMONY_PLAN_INVALID' },
    })
  })
})
