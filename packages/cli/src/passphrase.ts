import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { Interruption, UsageError } from './exit-code.ts'

/** Where a passphrase may come from, besides the terminal. */
export interface PassphraseOptions {
  readonly passphraseFile?: string
  /** `false` for `--no-passphrase`: none is wanted. */
  readonly passphrase?: boolean
}

/** Who is asked, and where. */
interface Terminal {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream
}

/**
 * The passphrase for new keys: from a file, from `VAULT_PASSPHRASE_FILE`, or asked for twice at the terminal.
 * `undefined` where none was wanted, or there is no one to ask: the caller says that aloud.
 */
export async function newPassphrase(
  options: PassphraseOptions,
  from: Terminal & { readonly env: NodeJS.ProcessEnv },
  of = 'the identity and operator keys',
): Promise<string | undefined> {
  if (options.passphrase === false) {
    if (options.passphraseFile === undefined) return undefined
    throw new UsageError('--passphrase-file and --no-passphrase exclude each other.')
  }
  const file = options.passphraseFile ?? from.env.VAULT_PASSPHRASE_FILE
  if (file !== undefined) return await passphraseFromFile(file)
  if (!from.stdin.isTTY) return undefined
  const first = await ask(`Passphrase for ${of}: `, from)
  if (first === '')
    throw new UsageError('An empty passphrase protects nothing. Use --no-passphrase if that is what you want.')
  if (first !== (await ask('The same again: ', from))) throw new UsageError('The two passphrases differ.')
  return first
}

/**
 * The passphrase of keys that there are: from a file, from `VAULT_PASSPHRASE_FILE`, or asked for at the terminal.
 * `undefined` where there is no one to ask.
 */
export async function existingPassphrase(
  { passphraseFile }: Pick<PassphraseOptions, 'passphraseFile'>,
  from: Terminal & { readonly env: NodeJS.ProcessEnv },
  of = "the vault's identity key",
): Promise<string | undefined> {
  const file = passphraseFile ?? from.env.VAULT_PASSPHRASE_FILE
  if (file !== undefined) return await passphraseFromFile(file)
  return from.stdin.isTTY ? await ask(`Passphrase of ${of}: `, from) : undefined
}

async function passphraseFromFile(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The passphrase file ${file} cannot be read: ${error.code}.`)
  })
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase === '') throw new UsageError(`The passphrase file ${file} is empty.`)
  return passphrase
}

/** Asks at the terminal without showing what is typed. */
async function ask(question: string, { stdin, stderr }: Terminal): Promise<string> {
  stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: stdin, output: silent, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('line', resolve)
      // The terminal is in raw mode, so that Ctrl-C is a key here and no signal.
      reader.once('SIGINT', () => reject(new Interruption('Interrupted.')))
      reader.once('close', () => reject(new UsageError('No passphrase was given.')))
    })
  } finally {
    reader.close()
    stderr.write('\n')
  }
}
