import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ROOT } from './workspace.ts'

// An example checks its own output, and ends with an error where it is not what it should be.
test.for(globSync('examples/*/main.ts', { cwd: ROOT }).sort())(
  '%s runs on the built packages, and ends',
  async (main) => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, main)], {
      cwd: tmpdir(),
      timeout: 110_000,
    })
    expect(stdout).not.toBe('')
  },
)
