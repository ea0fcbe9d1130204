import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UsageError } from './exit-code.ts'

/** A folder is made only in one that is there: else a slip of the pen, or a disk that is not mounted, makes others. Throws a `UsageError`. */
export async function requireParent(dir: string): Promise<void> {
  const parent = dirname(resolve(dir))
  const isFolder = await stat(parent).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isFolder) return
  throw new UsageError(
    `${parent} is no folder, so nothing is put into ${dir}. Check the path; a disk may not be mounted. To have it so, make ${parent} first.`,
  )
}
