import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { runStep, type Tally } from './steps.ts'

/**
 * Installs what is missing. Each program, or folder of a library, is given with the Debian package that brings it. What
 * cannot be had is a failed step.
 */
export async function installPrograms(
  programs: Readonly<Record<string, string>>,
  libraries: Readonly<Record<string, string>> = {},
): Promise<readonly Tally[]> {
  const missing = [
    ...Object.entries(programs).filter(([program]) => spawnSync(program, ['--version']).error),
    ...Object.entries(libraries).filter(([folder]) => !existsSync(folder)),
  ]
  if (missing.length === 0) return []
  const asRoot = process.getuid?.() === 0 ? ['apt-get'] : ['sudo', '--non-interactive', 'apt-get']
  const [command, ...args] = asRoot as [string, ...string[]]
  const install = ['install', '--yes', '--no-install-recommends', ...missing.map(([, name]) => name)]
  return [
    await runStep('apt update', command, ...args, 'update'),
    await runStep('apt install', command, ...args, ...install),
  ]
}
