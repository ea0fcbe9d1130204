import { once } from 'node:events'
import type { KeyId } from '@vault/core'
import type { MoveDestination } from '@vault/server'
import { EXIT, UsageError } from '../exit-code.ts'
import { warningOf } from '../failure.ts'
import { listening } from '../listen-address.ts'
import { parseKey } from '../parse-key.ts'
import { newPassphrase, type PassphraseOptions } from '../passphrase.ts'
import type { Program } from '../program.ts'
import { addressOf, parseRate } from '../remote-end.ts'

interface Options extends PassphraseOptions {
  readonly port: string
  readonly host: string
  readonly allow?: readonly string[]
  readonly allowParts?: readonly string[]
  readonly trust?: readonly string[]
  /** `false` for `--no-certificates`. */
  readonly certificates: boolean
  readonly allowMoves?: readonly string[]
  readonly moveTo?: readonly string[]
  readonly bwlimit?: string
}

export function addServe(program: Program): void {
  const command = program.command
    .command('serve <dir>')
    .description('let vaults move to this place, and be copied from it, over HTTPS; a place is made if there is none')
    .option('--port <number>', 'where to listen; 0: any port that is free', '0')
    .option('--host <address>', 'on which address of this machine', '127.0.0.1')
    .option('--allow <key...>', 'keys of places that may move vaults here, and copy those that are here')
    .option('--allow-parts <key...>', 'as --allow, and they may bring parts of other vaults into those active here')
    .option(
      '--trust <key...>',
      'keys whose certificates let vaults be brought here, beside the key of this place: "caps issue --place"',
    )
    .option('--no-certificates', 'let in only keys of these lists, and nobody by certificates')
    .option(
      '--allow-moves <key...>',
      'as --allow, and they may have this server move vaults to those of --move-to: "vault-migrate run" with an address as --from',
    )
    .option(
      '--move-to <address...>',
      'servers that vaults may move to from here: https://HOST:PORT#KEY, with the key of each; or KEY, of a folder elsewhere that comes for a vault',
    )
    .option(
      '--passphrase-file <file>',
      'protect the keys of vaults that come here with the passphrase in this file, and open those of vaults that move away',
    )
    .option('--no-passphrase', 'keep the keys of vaults that come here without a passphrase')
    .option('--bwlimit <rate>', 'take and send at most so many bytes a second, all clients together, as 500K or 10M')
    .addHelpText(
      'after',
      '\nPrints its address and its key when it is ready, and ends with Ctrl-C. Both ends know each other by their keys alone:\nthe other one names the key of this server (--peer-key), and is let in by the key of its place ("vaultctl status"):\nby these lists, or by certificates. A vault that is here grants what is done with it; the key of this place, and those of --trust,\ngrant that vaults are brought here.\n\nExamples:\n  vaultctl serve /srv/vault --host 0.0.0.0 --port 8443 --allow ed25519:z6Mk…\n  vaultctl serve /srv/vault --host 0.0.0.0 --port 8443 --trust ed25519:z6Mk…',
    )
  program.action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { allowedKeys, checkAddress, startServer } = await import('@vault/server')
    const port = Number(options.port)
    if (!/^\d{1,5}$/.test(options.port) || port > 65_535) throw new UsageError('--port takes a number from 0 to 65535.')
    const keys = keysOf('--allow', options.allow)
    const parts = keysOf('--allow-parts', options.allowParts)
    const moves = keysOf('--allow-moves', options.allowMoves)
    const moveTo = destinationsOf(options.moveTo ?? [])
    if (moves.length > 0 && moveTo.length === 0)
      output.warn('No place is named that vaults may move to (--move-to), so none is moved.')
    const trust = keysOf('--trust', options.trust)
    if (!options.certificates && trust.length > 0) throw new UsageError('--trust is about certificates.')
    if (!options.certificates && keys.length + parts.length + moves.length === 0)
      output.warn('No key is allowed (--allow), so everybody is refused.')
    const { host } = options
    await listening(checkAddress({ host, port }))
    const passphrase = await newPassphrase(options, process, 'the keys of vaults that come here')
    if (passphrase === undefined) {
      output.warn(`Keys of vaults that come to ${dir} are kept WITHOUT a passphrase: who can read it can act as them.`)
    }
    await using server = await listening(
      startServer({
        dir,
        host,
        port,
        authorize: allowedKeys(keys, { parts, moves }),
        ...(options.certificates && { certificates: { trust } }),
        moveTo,
        ...(options.bwlimit !== undefined && { bytesPerSecond: parseRate(options.bwlimit) }),
        seat: { passphrase: async () => passphrase, newPassphrase: async () => passphrase },
        failed: warningOf(output),
      }),
    )
    const { url, key } = server
    await output.result({ ok: true, url, key }, `Serving ${dir} at ${url}\nIts key: ${key}`)
    if (!signal.aborted) await once(signal, 'abort')
    return EXIT.ok
  })
}

function destinationsOf(texts: readonly string[]): readonly MoveDestination[] {
  return texts.map((text) => {
    if (!text.includes('#') && !text.includes('/')) return { key: parseKey('--move-to', text) }
    const [url = '', key] = text.split('#')
    if (key !== undefined && new URL(addressOf(url)).pathname === '/') return { url, key: parseKey('--move-to', key) }
    throw new UsageError(
      `--move-to takes an address with the key of the server, https://HOST:PORT#KEY, or a key alone, not ${text}.`,
    )
  })
}

function keysOf(option: string, texts: readonly string[] = []): readonly KeyId[] {
  return texts.map((text) => parseKey(option, text))
}
