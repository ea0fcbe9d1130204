import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { VaultError } from '@vault/core'
import { type NameErrorCode, nameFromPath } from './name.ts'
import type { SourceFileErrorCode, SourcePath } from './source-file.ts'
import { systemError } from './system-error.ts'

interface LocatedPath extends SourcePath {
  /** Where it really is, itself not followed. */
  readonly place: string
}

/**
 * The paths that a user gave, with their names; one that another one brings under the same name is left out. Throws
 * `FILE_UNREADABLE`, and `VAULT_NAME_INVALID` where two of them would get one name, before anything is written.
 */
export async function putPaths(paths: readonly string[]): Promise<readonly SourcePath[]> {
  const located: LocatedPath[] = []
  for (const path of paths) located.push({ path, name: nameFromPath(path), below: false, place: await placeOf(path) })
  const byPlace = Map.groupBy(located, ({ place }) => place)
  const wanted = located.filter((path) => !isBroughtByOther(path, byPlace))
  checkDistinctNames(wanted)
  return wanted
}

async function placeOf(path: string): Promise<string> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return await realpath(path)
    return join(await realpath(dirname(path)), basename(path))
  } catch (cause) {
    throw systemError<SourceFileErrorCode>('FILE_UNREADABLE', path, cause)
  }
}

function isBroughtByOther(path: LocatedPath, byPlace: ReadonlyMap<string, readonly LocatedPath[]>): boolean {
  const { name, place } = path
  if (byPlace.get(place)?.find((same) => same.name === name) !== path) return true
  let rest = ''
  for (let at = place; dirname(at) !== at; at = dirname(at)) {
    rest = rest === '' ? basename(at) : `${basename(at)}/${rest}`
    const above = byPlace.get(dirname(at)) ?? []
    if (above.some((folder) => name === (folder.name === '' ? rest : `${folder.name}/${rest}`))) return true
  }
  return false
}

function checkDistinctNames(paths: readonly SourcePath[]): void {
  const seen = new Map<string, string>()
  for (const { path, name } of paths) {
    const other = seen.get(name)
    if (other !== undefined) {
      throw new VaultError<NameErrorCode>({
        code: 'VAULT_NAME_INVALID',
        message: `${other} and ${path} would both be named ${JSON.stringify(name)}. Put them one after the other from their own folders.`,
        details: { name },
      })
    }
    seen.set(name, path)
  }
}
