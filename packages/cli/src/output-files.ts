import { access, constants, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Envelope, encodeEnvelope, isVaultError, VaultError } from '@vault/core'
import { EXIT, type ExitCode, exitCodeOf, UsageError } from './exit-code.ts'
import { failureLines, failureResult } from './failure.ts'
import type { Output } from './output.ts'

/** A file beside the result could not be written, though what the command was asked for is done. `details.file`. */
export type OutputFileErrorCode = 'OUTPUT_FILE_FAILED'

/**
 * Files that a command writes beside its result, when what it does can no longer be taken back. What stands against them is said before
 * that; what fails all the same does not keep the result from being given.
 */
export class OutputFiles {
  #failed: VaultError<OutputFileErrorCode> | undefined

  private constructor() {}

  /** Nothing is written, and nothing is made. Throws a `UsageError` for a file that cannot be written. */
  static async expect(...files: readonly (string | undefined)[]): Promise<OutputFiles> {
    for (const file of files) if (file !== undefined) await requireWritable(file)
    return new OutputFiles()
  }

  /** Writes a file, where one is named, and gives its name if it has been written. `again`: how else to come by it. */
  async write(file: string | undefined, content: string | Uint8Array, again: string): Promise<string | undefined> {
    if (file === undefined) return undefined
    try {
      await writeOutputFile(file, content, again)
      return file
    } catch (error) {
      if (!isVaultError(error, 'OUTPUT_FILE_FAILED')) throw error
      this.#failed ??= error as VaultError<OutputFileErrorCode>
      return undefined
    }
  }

  /** Gives the result; where a file was not written, that is said with it. */
  async report(output: Output, value: Readonly<Record<string, unknown>>, text: string): Promise<ExitCode> {
    if (this.#failed === undefined) {
      await output.result(value, text)
      return EXIT.ok
    }
    await output.result({ ...value, ...failureResult(this.#failed) }, text)
    for (const line of failureLines(this.#failed)) output.warn(line)
    return exitCodeOf(this.#failed)
  }
}

/** Writes a certificate that counts in the vault of `dir` into a file, too, where one is named. */
export async function writeCap(
  files: OutputFiles,
  file: string | undefined,
  { dir, id, envelope }: { readonly dir: string; readonly id: string; readonly envelope: Envelope },
): Promise<void> {
  const again = `The certificate ${id} counts all the same ("vaultctl caps show ${dir}"): for a file, "vaultctl caps revoke ${dir} ${id}" takes it back, and it is issued again.`
  await files.write(file, encodeEnvelope(envelope), again)
}

/** Writes a file without which there is no result. Throws `OUTPUT_FILE_FAILED`, which says `again`: how to come by it. */
export async function writeOutputFile(file: string, content: string | Uint8Array, again: string): Promise<void> {
  await writeFile(file, content).catch((error: unknown) => {
    throw outputFileFailed(file, error, again)
  })
}

/** The failure in words; `again`: how to come by what would be in the file. */
export function outputFileFailed(file: string, error: unknown, again: string): VaultError<OutputFileErrorCode> {
  return new VaultError({
    code: 'OUTPUT_FILE_FAILED',
    message: `${file} could not be written: ${codeOf(error)}. ${again}`,
    details: { file },
    cause: error,
  })
}

async function requireWritable(file: string): Promise<void> {
  const [found, reason] = await stat(file).then(
    (stats) => [stats, undefined] as const,
    (error: unknown) => [undefined, codeOf(error)] as const,
  )
  if (found?.isDirectory() || file === '' || file.endsWith('/')) {
    throw new UsageError(`${JSON.stringify(file)} is no file to write into: name one.`)
  }
  if (found === undefined && reason !== 'ENOENT') throw notWritable(file, reason)
  const [path, mode] = found === undefined ? [dirname(file), constants.W_OK | constants.X_OK] : [file, constants.W_OK]
  await access(path, mode).catch((error: unknown) => {
    throw notWritable(file, codeOf(error), found === undefined ? path : undefined)
  })
}

function notWritable(file: string, reason: string | undefined, folder?: string): UsageError {
  if (folder === undefined) return new UsageError(`${file} cannot be written: ${reason}. Nothing was begun.`)
  const why = reason === 'ENOENT' ? `there is no folder ${folder}` : `its folder ${folder} takes no files (${reason})`
  return new UsageError(`${file} cannot be written: ${why}. Nothing was begun.`)
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
