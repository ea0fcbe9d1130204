import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../workspace.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vault-completion-'))
  mkdirSync(join(dir, 'my folder'))
  writeFileSync(join(dir, 'my.car'), '')
  for (const name of ['vaultctl', 'vault-migrate']) {
    for (const shell of ['zsh', 'fish']) {
      const bin = join(ROOT, `packages/cli/bin/${name}.mjs`)
      const { stdout, status } = spawnSync(process.execPath, [bin, 'complete', shell], { encoding: 'utf8' })
      expect(status).toBe(0)
      writeFileSync(join(dir, `${name}.${shell}`), stdout)
    }
  }
})
afterAll(() => rmSync(dir, { recursive: true }))

describe('fish', () => {
  test.for<[line: string, offered: readonly string[]]>([
    ['vaultctl ver', ['verify']],
    ['vaultctl put --ag', ['--again']],
    ['vaultctl put my', ['my folder/']],
    ['vaultctl put v my', ['my folder/', 'my.car']],
    ['vaultctl put v x y my.', ['my.car']],
    ['vaultctl get v my', []],
    ['vaultctl get v x -o my.', ['my.car']],
    ['vault-migrate pl', ['plan']],
    ['vault-migrate run --from my', ['my folder/']],
  ])('%s', ([line, offered]) => {
    const [program] = line.split(' ')
    const script = `source ${program}.fish; complete -C'${line}'`
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script], { cwd: dir, encoding: 'utf8' })
    expect(stderr).toBe('')
    const words = stdout
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => text.split('\t')[0])
    expect(words.toSorted()).toEqual([...offered].toSorted())
  })
})

// A zsh at a terminal of its own, into which a line and a tab are typed; the line is taken out of its editor's buffer.
const ZSH = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'autoload -U compinit; compinit -u -D; source ./'$1'.zsh; shown() { print -r -- "<$BUFFER>" > shown; }; zle -N shown; bindkey "^X" shown; : > ready'
for ((i = 0; i < 200; i++)); do [[ -e ready ]] && break; sleep 0.05; done
zpty -w -n z "$2"$'\\t'
# What is typed before a completion is done keeps it from being done.
sleep 0.5
zpty -w -n z $'\\x18'
for ((i = 0; i < 200; i++)); do [[ -s shown ]] && break; sleep 0.05; done
cat shown
rm -f ready shown
zpty -d z
`

describe('zsh', () => {
  test.for<[line: string, completed: string]>([
    ['vaultctl ver', 'vaultctl verify '],
    ['vaultctl put --ag', 'vaultctl put --again '],
    ['vaultctl put my', 'vaultctl put my\\ folder/'],
    ['vaultctl put v my.', 'vaultctl put v my.car '],
    ['vaultctl get v x -o my.', 'vaultctl get v x -o my.car '],
    ['vaultctl get v my', 'vaultctl get v my'],
    ['vault-migrate pl', 'vault-migrate plan '],
    ['vault-migrate run --from my', 'vault-migrate run --from my\\ folder/'],
  ])('%s', ([line, completed]) => {
    const { stdout } = spawnSync('zsh', ['-f', '-c', ZSH, 'zsh', line.split(' ')[0] as string, line], {
      cwd: dir,
      encoding: 'utf8',
    })
    expect(stdout).toBe(`<${completed}>\n`)
  })
})
