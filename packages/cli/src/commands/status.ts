import { askedApprovals } from '../asked-approvals.ts'
import { EXIT } from '../exit-code.ts'
import { counted, humanBytes, humanCount } from '../human.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import type { Program } from '../program.ts'
import { publishedLines } from '../published-lines.ts'
import { addRemoteOptions, isRemote } from '../remote-end.ts'
import { addPlaceOption, type RemotePlaceOptions } from '../remote-place.ts'
import { serverStatus } from '../server-status.ts'

type Options = ReadOptions & RemotePlaceOptions

export function addStatus(program: Program): void {
  const command = program.command
    .command('status <vault>')
    .description(
      'say which vault this is, what it may do here, and how much it holds; of a server, https://HOST:PORT: which are there that this key may ask about',
    )
  addPlaceOption(addRemoteOptions(addReadOptions(command))).addHelpText(
    'after',
    '\nExamples:\n  vaultctl status ~/vault\n  vaultctl status https://vault.example:8443 --peer-key ed25519:z6Mk… --as me',
  )
  program.action<[string, Options]>(command, async (run, dir, options) => {
    if (isRemote(dir)) return await serverStatus(run, dir, options)
    const { output, signal } = run
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    const { tenure, ended, place, damagedRoot, published, log, ...holds } = await vault.status({ signal })
    const { objects, bytes, entries, names, certificates, revocations } = holds
    const { state, epoch, sequence, migration } = tenure
    const asked = await askedApprovals(vault, dir, { ...options, signal })
    await output.result(
      {
        ok: true,
        vault: vault.id,
        dir: vault.place.dir,
        instance: place.instance,
        key: place.key,
        state,
        epoch,
        sequence,
        ...(migration !== undefined && { migration }),
        ended,
        objects,
        bytes,
        entries,
        names,
        certificates,
        revocations,
        ...(damagedRoot && { damaged_root: damagedRoot }),
        ...(published && { published }),
        ...asked.members,
        log: { entries: log.size, waiting: log.waiting },
      },
      [
        `vault     ${vault.id}`,
        `place     ${vault.place.dir} (instance ${place.instance})`,
        `key       ${place.key}`,
        `state     ${state}, epoch ${epoch}, change ${sequence}${ended && state !== 'ended' ? '; the vault has ended' : ''}`,
        `content   ${counted(objects, 'object')}, ${humanBytes(bytes)}; ${counted(names, 'name')}`,
        ...(certificates + revocations > 0
          ? [`granted   ${counted(certificates, 'certificate')}, ${counted(revocations, 'revocation')}`]
          : []),
        ...(damagedRoot
          ? [
              `damaged   ${damagedRoot.record}: the key of the place reads the vault, and changes nothing. ${damagedRoot.advice}`,
            ]
          : []),
        ...publishedLines(published).map((line) => `revoked   ${line}`),
        `log       ${counted(log.size, 'entry')}${log.waiting > 0 ? `; ${humanCount(log.waiting)} more to be written by the next command that changes the vault` : ''}`,
        ...asked.lines,
      ].join('\n'),
    )
    return EXIT.ok
  })
}
