import { EXIT, type ExitCode } from './exit-code.ts'
import { counted, humanBytes } from './human.ts'
import type { Run } from './program.ts'
import { type RemotePlaceOptions, remotePlace } from './remote-place.ts'

/** Says which vaults lie at a server, of those that the key which asks may ask about. */
export async function serverStatus(
  { output, signal }: Run,
  url: string,
  options: RemotePlaceOptions,
): Promise<ExitCode> {
  await using place = await remotePlace(url, options)
  const vaults = await place.vaults({ signal })
  const lines = vaults.map(({ vault, state, epoch, sequence, objects, bytes, entries }) => {
    return `${vault}  ${state}, epoch ${epoch}, change ${sequence}; ${counted(objects, 'object')}, ${humanBytes(bytes)}; ${counted(entries, 'entry')}`
  })
  await output.result(
    { ok: true, url, vaults },
    lines.length === 0 ? `At ${url} is no vault about which this key may ask.` : lines.join('\n'),
  )
  return EXIT.ok
}
