import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Check } from './diagnosis.ts'
import { isDraft } from './durable-file.ts'
import { isProvenKey } from './keystore.ts'

/** Whether keys lie in the folder, can be used, and are nobody else's to read. */
export async function diagnoseKeys(dir: string): Promise<readonly Check[]> {
  const folder = join(dir, 'keys')
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.(key|age)$/.test(name) && !isDraft(name))
  if (names.length === 0) {
    return [
      {
        name: 'keys',
        ok: false,
        lost: 'key',
        message: `There are no keys in ${folder}. The vault can be read; it can neither be changed nor handed off here.`,
        advice: 'Bring the folder keys back from a backup: keys are in no replica.',
      },
    ]
  }
  const checks: Check[] = []
  for (const name of names) {
    const path = join(folder, name)
    const mode = await stat(path).then(
      (stats) => stats.mode & 0o777,
      () => undefined,
    )
    if (mode !== undefined && (mode & 0o077) !== 0) {
      checks.push({
        name: 'keys',
        ok: false,
        lost: 'no',
        message: `keys/${name} can be read by other users of this machine (mode 0${mode.toString(8)}). Whoever has it can ${name.startsWith('place-') || name.startsWith('log-') ? 'sign for this place' : name.endsWith('.age') ? 'try passphrases on it' : 'act for the vault'}.`,
        advice: `chmod 600 ${path}`,
      })
    }
    if (name.endsWith('.key') && !(await isProvenKey(path))) {
      checks.push({
        name: 'keys',
        ok: false,
        lost: 'key',
        message: `keys/${name} is not the key that its name says, or cannot be read.`,
        advice: `Bring ${path} back from a backup: keys are in no replica.`,
      })
    }
  }
  if (checks.length > 0) return checks
  return [{ name: 'keys', ok: true, message: `${names.length} key files are there, for their owner only.` }]
}
