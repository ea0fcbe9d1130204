import type { Check } from './diagnosis.ts'
import { freeSpace } from './free-space.ts'

/** Bytes under which a change may fail half-way: a segment is flushed and a database grows by some mebibytes at a time. */
const LITTLE = 256 * 1024 * 1024

export const SPACE = 'space'
export const MAKE_ROOM = 'Make room on the disk of the folder.'

export async function diagnoseSpace(dir: string): Promise<Check> {
  const free = await freeSpace(dir).catch(() => undefined)
  if (free === undefined) return { name: SPACE, ok: true, message: 'This system does not say how much room is left.' }
  const mebibytes = Math.floor(free.bytes / 1024 / 1024).toLocaleString('en')
  if (free.bytes >= LITTLE) return { name: SPACE, ok: true, message: `${mebibytes} MiB are free on the disk.` }
  return {
    name: SPACE,
    ok: false,
    lost: 'no',
    message: `Only ${mebibytes} MiB are free on the disk: the vault can be read, and changes to it may be refused. What is stored is safe.`,
    advice: MAKE_ROOM,
  }
}
