import { constants } from 'node:fs'
import { link, lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Envelope, encodeEnvelope, equalBytes, type Finding, VaultError } from '@vault/core'
import {
  type Ceremony,
  type CeremonyFile,
  MAX_CEREMONY_FILE,
  openPlan,
  PLAN_FILE,
  readCeremony,
} from '@vault/spki-caps/ceremony'
import { createFolder, isDraft, withDraft } from '../durable-file.ts'
import { systemError } from '../system-error.ts'

/** The `code` of the errors about the folder of a ceremony. */
export type CeremonyFolderErrorCode =
  /** The system does not let the folder be made, read or written. `details.path`, `details.errno`. */
  | 'CEREMONY_INACCESSIBLE'
  /** A new ceremony was to be planned in a folder that has files. `details.dir`. */
  | 'CEREMONY_EXISTS'
  /** Another file has the name of the one that was to be written, and is never overwritten. `details.file`. */
  | 'CEREMONY_FILE_CONFLICT'

/** The `code` of the findings about what lies in the folder of a ceremony. */
export type CeremonyFolderFindingCode =
  /** A link, a folder or a device instead of a file. */
  | 'CEREMONY_FILE_IRREGULAR'
  /** Longer than any file of a ceremony. */
  | 'CEREMONY_FILE_TOO_LARGE'

// A link must not be followed, nor a pipe waited for.
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
/** Four for each of 512 members. */
const MAX_FILES = 2_048

/**
 * The folder of a ceremony. People carry it to each other as they like, and write into copies of it: each adds files of his own, and
 * none is ever changed. Whoever has it needs nothing else.
 */
export class CeremonyFolder {
  readonly dir: string

  constructor(dir: string) {
    this.dir = dir
  }

  /** Begins a ceremony in a folder that does not exist, or is empty. Throws `CEREMONY_EXISTS`, `CEREMONY_INACCESSIBLE`. */
  static async create(dir: string, plan: Envelope): Promise<CeremonyFolder> {
    const bytes = encodeEnvelope(plan)
    openPlan(bytes)
    const folder = new CeremonyFolder(dir)
    await folder.#attempt(async () => {
      await createFolder(dir, 0o700)
      if ((await readdir(dir)).some((name) => !isDraft(name))) {
        throw new VaultError<CeremonyFolderErrorCode>({
          code: 'CEREMONY_EXISTS',
          message: `There are files in ${dir} already: plan a ceremony in a new folder.`,
          details: { dir },
        })
      }
    })
    await folder.file(PLAN_FILE, bytes)
    return folder
  }

  /** How far the ceremony is. Throws `CEREMONY_PLAN_INVALID`, `CEREMONY_INACCESSIBLE`. */
  async read(): Promise<Ceremony> {
    const files: CeremonyFile[] = []
    const findings: Finding[] = []
    await this.#attempt(async () => {
      const names = (await readdir(this.dir)).filter((name) => !name.startsWith('.') && !isDraft(name))
      for (const name of names.slice(MAX_FILES)) findings.push(tooLarge(name, 'there are too many files'))
      for (const name of names.slice(0, MAX_FILES)) {
        const read = await this.#readFile(name)
        if (read instanceof Uint8Array) files.push({ name, bytes: read })
        else findings.push(read)
      }
    })
    const ceremony = readCeremony(files)
    return { ...ceremony, findings: [...findings, ...ceremony.findings] }
  }

  /**
   * Adds a file, whole or not at all. One that is there with the same bytes is left as it is. Durable when it resolves. Throws
   * `CEREMONY_FILE_CONFLICT`, `CEREMONY_INACCESSIBLE`.
   */
  async file(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.dir, name)
    await this.#attempt(() =>
      withDraft(path, bytes, async (draft) => {
        // Unlike a rename, this takes a name only where nothing has it.
        await link(draft, path).catch(async (error: NodeJS.ErrnoException) => {
          const there = error.code === 'EEXIST' ? await this.#readFile(name) : undefined
          if (there === undefined) throw error
          if (!(there instanceof Uint8Array) || !equalBytes(there, bytes)) throw conflict(path)
        })
      }),
    )
  }

  async #readFile(name: string): Promise<Uint8Array | Finding> {
    const path = join(this.dir, name)
    if (!(await lstat(path)).isFile()) return irregular(name)
    const handle = await open(path, READ)
    try {
      const stats = await handle.stat()
      if (!stats.isFile()) return irregular(name)
      if (stats.size > MAX_CEREMONY_FILE) return tooLarge(name, `it is longer than ${MAX_CEREMONY_FILE} bytes`)
      const buffer = new Uint8Array(stats.size)
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  }

  async #attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw systemError<CeremonyFolderErrorCode>('CEREMONY_INACCESSIBLE', this.dir, error)
    }
  }
}

function irregular(name: string): Finding {
  const code: CeremonyFolderFindingCode = 'CEREMONY_FILE_IRREGULAR'
  return { code, message: `${name} is refused: it is a link, a folder or a device, and no file.`, subject: name }
}

function tooLarge(name: string, why: string): Finding {
  const code: CeremonyFolderFindingCode = 'CEREMONY_FILE_TOO_LARGE'
  return { code, message: `${name} is refused: ${why}.`, subject: name }
}

function conflict(file: string): VaultError<CeremonyFolderErrorCode> {
  return new VaultError({
    code: 'CEREMONY_FILE_CONFLICT',
    message: `Another document has the name ${file}, and it is not overwritten: compare both, as they are evidence.`,
    details: { file },
  })
}
