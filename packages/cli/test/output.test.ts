import { PassThrough, Writable } from 'node:stream'
import { VaultError } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { EXIT, exitCodeOf, Interruption, UsageError } from '../src/exit-code.ts'
import { failureLines, failureResult, firstError } from '../src/failure.ts'
import { Output } from '../src/output.ts'
import { OutputError } from '../src/output-error.ts'
import { newPassphrase } from '../src/passphrase.ts'

/** An output whose two texts can be read. */
function recorded(json: boolean) {
  const texts = { stdout: '', stderr: '' }
  const into = (key: keyof typeof texts) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        texts[key] += chunk.toString()
        done()
      },
    })
  const streams = { stdout: into('stdout'), stderr: into('stderr') }
  return { texts, output: new Output(streams, { json, quiet: false }) }
}

const show = { json: (item: number) => item, text: (item: number) => String(item) }

async function* pages(failure?: Error): AsyncGenerator<readonly number[]> {
  yield [1, 2]
  yield [3]
  if (failure) throw failure
}

async function* none(): AsyncGenerator<readonly number[]> {}

describe('one object', () => {
  test('a list ends with its count', async () => {
    const { output, texts } = recorded(true)
    await output.list('items', pages(), show)
    expect(texts.stdout).toBe('{"items":[1,2,3],"count":3,"ok":true}\n')
  })

  test('an empty list is one as well', async () => {
    const { output, texts } = recorded(true)
    await output.list('items', none(), show)
    expect(texts.stdout).toBe('{"items":[],"count":0,"ok":true}\n')
  })

  test.each([new VaultError({ code: 'SOUP_CORRUPT', message: 'damaged' }), new Interruption('Interrupted.')])(
    'a list that %s cuts short ends with that, in the same object',
    async (failure) => {
      const { output, texts } = recorded(true)
      await expect(output.list('items', pages(failure), show)).rejects.toBe(failure)
      await output.result(failureResult(failure))
      expect(JSON.parse(texts.stdout)).toMatchObject({
        items: [1, 2, 3],
        ok: false,
        error: { message: failure.message },
      })
    },
  )

  test('lines of text need no end', async () => {
    const { output, texts } = recorded(false)
    await output.list('items', pages(), show)
    expect(texts.stdout).toBe('1\n2\n3\n')
  })
})

test('a stdout that fails ends the command: quietly where its reader has gone', async () => {
  for (const [code, exit, lines] of [
    ['EPIPE', EXIT.unread, 0],
    ['ENOSPC', EXIT.refused, 1],
  ] as const) {
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) })
    stdout.on('error', () => {})
    const output = new Output({ stdout, stderr: new PassThrough() }, { json: true, quiet: false })
    const error = await output.result({ ok: true }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OutputError)
    expect(exitCodeOf(error)).toBe(exit)
    expect(failureLines(error)).toHaveLength(lines)
  }
})

test('what could deceive a terminal is shown as an escape, on stderr too', () => {
  const { output, texts } = recorded(false)
  output.note('a \x1b[2J name\nDone. \u202e')
  expect(texts.stderr).toBe('a \\u001b[2J name\\u000aDone. \\u202e\n')
})

test('the trace of a refusal stands under it, and not as a line of its own', () => {
  const refused = new VaultError({
    code: 'CAPS_DENIED',
    message: 'No.',
    details: { trace: ['root', 'DENIED at root'] },
  })
  expect(failureLines(refused)).toEqual(['No. [CAPS_DENIED]', '  root', '  DENIED at root'])
})

describe('what failed', () => {
  const first = () => new VaultError({ code: 'SOUP_WRITE_FAILED', message: 'first' })

  test('is what failed first, and closing comes after', async () => {
    const later = new Error('closing failed')
    const error = first()
    const failing = async (): Promise<void> => {
      await using _outer = { [Symbol.asyncDispose]: () => Promise.reject(new Error('the last')) }
      await using _inner = { [Symbol.asyncDispose]: () => Promise.reject(later) }
      throw error
    }
    const caught = await failing().catch((thrown: unknown) => thrown)
    expect(caught).not.toBe(error)
    expect(firstError(caught)).toBe(error)
    expect(error.cause).toBe(later)
    expect(firstError(later)).toBe(later)
  })

  test('for want of room is incomplete; what forbids writing refuses', () => {
    const cas = (cause?: unknown) => new VaultError({ code: 'CAS_WRITE_FAILED', message: 'not written', cause })
    const system = (code: string) => Object.assign(new Error(code), { code })
    const told = (errno: string) => new VaultError({ code: 'SOUP_WRITE_FAILED', message: 'why', details: { errno } })
    for (const cause of [
      system('ENOSPC'),
      system('EDQUOT'),
      told('ENOSPC'),
      new Error('why', { cause: system('ENOSPC') }),
    ])
      expect(exitCodeOf(cas(cause))).toBe(EXIT.incomplete)
    expect(exitCodeOf(told('ENOSPC'))).toBe(EXIT.incomplete)
    for (const cause of [undefined, system('EROFS'), system('EACCES'), system('EIO'), told('EIO')])
      expect(exitCodeOf(cas(cause))).toBe(EXIT.refused)
    expect(failureLines(cas(system('ENOSPC'))).join()).toContain('the same command goes on')
  })
})

describe('the passphrase', () => {
  /** A terminal at which these keys are typed, some for each question. */
  const typing = (...answers: string[]) => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true })
    const stderr = new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (chunk.toString().endsWith(': ')) setImmediate(() => stdin.write(answers.shift() ?? ''))
        done()
      },
    })
    return { stdin, stderr, env: {} }
  }

  test('is asked for twice', async () => {
    expect(await newPassphrase({}, typing('secret\n', 'secret\n'))).toBe('secret')
    await expect(newPassphrase({}, typing('secret\n', 'other\n'))).rejects.toThrow(UsageError)
  })

  test('Ctrl-C at the prompt interrupts', async () => {
    for (const answers of [['sec\x03'], ['secret\n', '\x03']]) {
      const error = await newPassphrase({}, typing(...answers)).catch((thrown: unknown) => thrown)
      expect(exitCodeOf(error)).toBe(EXIT.interrupted)
    }
  })

  test('is either in a file or not wanted', async () => {
    const from = { ...typing(), env: { VAULT_PASSPHRASE_FILE: '/absent' } }
    expect(await newPassphrase({ passphrase: false }, from)).toBeUndefined()
    await expect(newPassphrase({ passphrase: false, passphraseFile: 'x' }, from)).rejects.toThrow(UsageError)
  })
})
