import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

type Name = 'vaultctl' | 'vault-migrate'

/** What bash offers for the last of these words. */
async function offers(words: readonly string[], cwd: string): Promise<readonly string[]> {
  const name = words[0] as Name
  const { stdout: script } = await run(name, ['complete', 'bash'])
  const test = `${script}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_${name.replace('-', '_')}
printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', test, 'bash', ...words], { cwd })
  // Outside of a completion bash says that compopt has nothing to set; the script hides it.
  expect(stderr).toBe('')
  return stdout.split('\n').filter((line) => line !== '')
}

test('bash completes commands, options, folders and files', async () => {
  await using space = await scratch()
  await mkdir(space.at('vault folder'))
  await mkdir(space.at('vault2'))
  await writeFile(space.at('vault.txt'), '')
  const at = (...words: string[]) => offers(words, space.dir)
  expect(await at('vaultctl', 'ver')).toEqual(['verify'])
  expect(await at('vaultctl', '')).toEqual(
    expect.arrayContaining(['init', 'put', 'export', 'import', 'check-store', 'complete']),
  )
  expect(await at('vaultctl', '--ver')).toEqual(['--version'])
  expect(await at('vaultctl', 'put', '--ag')).toEqual(['--again'])
  expect(await at('vaultctl', 'keys', 'ro')).toEqual(['rotate'])
  expect(await at('vaultctl', 'keys', 'rotate', 'vault2', '--ro')).toEqual(['--role'])
  expect((await at('vaultctl', 'put', 'va')).toSorted()).toEqual(['vault folder', 'vault2'])
  expect((await at('vaultctl', 'put', '-q', 'vault2', 'va')).toSorted()).toEqual([
    'vault folder',
    'vault.txt',
    'vault2',
  ])
  expect((await at('vaultctl', 'put', 'vault2', 'x', 'y', 'vault.')).toSorted()).toEqual(['vault.txt'])
  expect((await at('vaultctl', 'get', 'vault2', 'name', '-o', 'vault.')).toSorted()).toEqual(['vault.txt'])
  expect(await at('vaultctl', 'get', 'vault2', 'va')).toEqual([])
  expect(await at('vaultctl', 'find', '-w', 'x=1', 'vault2', '')).toEqual([])
  expect((await at('vault-migrate', 'run', '--from', 'va')).toSorted()).toEqual(['vault folder', 'vault2'])
  expect(await at('vault-migrate', 'run', '--from', 'vault2', '--to')).toEqual(['--to', '--to-passphrase-file'])
})

test('bash evaluates nothing that was typed or that lies on a disk', async () => {
  await using space = await scratch()
  for (const name of ['$(touch made)', '`touch made`', 'a;touch made', '*']) await mkdir(space.at(name))
  expect((await offers(['vaultctl', 'put', ''], space.dir)).toSorted()).toEqual(
    ['$(touch made)', '*', '`touch made`', 'a;touch made'].toSorted(),
  )
  for (const word of ['$(touch made)', '`touch made`']) {
    await offers(['vaultctl', word, ''], space.dir)
    await offers(['vaultctl', 'put', word, word], space.dir)
    await offers(['vaultctl', word], space.dir)
  }
  expect(await offers(['vaultctl', 'put', 'ma'], space.dir)).toEqual([])
})

test('every command and option of both programs is in every script', async () => {
  for (const name of ['vaultctl', 'vault-migrate'] as const) {
    const help = (await run(name, ['--help'])).stdout
    const commands = [...help.matchAll(/^ {2}([a-z][a-z-]*) .*$/gm)].map(([, command]) => command as string)
    expect(commands.length).toBeGreaterThan(3)
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { script } = await json<{ script: string }>(name, ['complete', shell])
      for (const command of commands) {
        if (command !== 'help') expect(script, `${shell}: ${command}`).toMatch(new RegExp(`['" ]${command}['": ]`))
      }
      const long = [...(await run(name, [commands[0] as string, '--help'])).stdout.matchAll(/--([a-z-]+)/g)]
      for (const [, option] of long.slice(0, 3)) expect(script).toContain(option)
    }
  }
})

test('another shell is a usage error', async () => {
  for (const shell of ['tcsh', 'toString'])
    expect(await json('vaultctl', ['complete', shell], 2)).toMatchObject({ error: { code: 'USAGE' } })
})
