import type { ContentId } from '@vault/core'
import type { Vault } from '@vault/embedded'
import type { Command } from 'commander'
import type { AsOptions } from './as-options.ts'
import { OPERATORS, principalOf } from './caps-options.ts'
import { UsageError } from './exit-code.ts'
import { parseSpan } from './parse-span.ts'

/** By whom a certificate has to be validated. */
export interface ValidationOptions {
  readonly validatedBy?: string
  readonly maxAge?: string
}

/** Adds them to a command that issues certificates. */
export function addValidationOptions(command: Command): Command {
  return command
    .option(
      '--validated-by <key>',
      'it holds only while this one has lately said so with "caps validate": a key or its name, a threshold, or operators',
    )
    .option('--max-age <time>', 'for so long each validation counts, as 10m or 12h')
}

type Checks = Pick<Parameters<Vault['issueCap']>[0], 'checks'>

/** The test that a certificate is issued with; none where nothing is said of it. */
export async function checksOf(
  { validatedBy, maxAge, ...options }: ValidationOptions & AsOptions,
  vault: ContentId,
): Promise<Checks> {
  if (validatedBy === undefined && maxAge === undefined) return {}
  if (validatedBy === undefined || maxAge === undefined)
    throw new UsageError('--validated-by and --max-age go together: by whom, and how long it counts each time.')
  const by = await validatorOf('--validated-by', validatedBy, options, vault)
  return { checks: [{ by, maxAge: parseSpan('--max-age', maxAge), kind: 'validation' }] }
}

/** Who validates: a key, a threshold, or the operators of the vault. */
export async function validatorOf(
  option: string,
  word: string,
  options: AsOptions,
  vault: ContentId,
): Promise<Awaited<ReturnType<typeof principalOf>>> {
  if (word.includes('/'))
    throw new UsageError(
      `${option} takes a key, its name in your keystore, a threshold of these, or operators: whoever is called by a name signs nothing as that.`,
    )
  const { vaultPrincipal } = await import('@vault/embedded')
  return word === OPERATORS ? vaultPrincipal(vault) : await principalOf(word, options)
}
