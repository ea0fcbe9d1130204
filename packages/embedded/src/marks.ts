import { open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Mark } from '@vault/audit-chain'
import { type Bytes, type Finding, isContentId, type VaultId } from '@vault/core'
import { openFsMark } from '@vault/store-fs'
import { createFolder, writeDurably } from './durable-file.ts'

const MARK = '.mark'
const CHECKPOINT = '.checkpoint'
const LOCK = '.lock'
/** Milliseconds after which whoever holds a lock is taken to have died: it is held for two small files. */
const DEAD = 10_000
/** Milliseconds between two tries. */
const TRY_AGAIN = 10

/** The furthest that a vault was seen to be, and the signed note that its log had then. */
export interface Seen {
  readonly mark: Mark
  /** Evidence, should the log turn out to have another history. */
  readonly checkpoint: Bytes | undefined
}

/**
 * The high-water marks of one place, in a folder outside of it: `marks/<instance>/<vault>.mark`, and beside each the
 * checkpoint it was taken from. By instance: the same vault may be further at another place, and this one none the worse for it.
 */
export class Marks {
  readonly stateDir: string
  readonly #dir: string
  readonly #warn: (finding: Finding) => void

  constructor(options: {
    readonly stateDir: string
    readonly instance: string
    /** Told once what keeps marks from being kept. */
    readonly warn: (finding: Finding) => void
  }) {
    this.stateDir = options.stateDir
    this.#dir = join(options.stateDir, 'marks', options.instance)
    this.#warn = once(options.warn)
  }

  /** All that were seen in this place. Throws `AUDIT_MARK_DAMAGED`. */
  async all(): Promise<ReadonlyMap<VaultId, Seen>> {
    const seen = new Map<VaultId, Seen>()
    for (const name of await this.#names()) {
      const vault = name.endsWith(MARK) ? name.slice(0, -MARK.length) : ''
      const mark = isContentId(vault) ? await this.#file(vault).read() : undefined
      if (mark !== undefined) seen.set(vault as VaultId, { mark, checkpoint: await this.#checkpoint(vault as VaultId) })
    }
    return seen
  }

  /** Keeps this one, unless the one that is kept is further, whoever else keeps one. What the system refuses is a warning. */
  async advance(vault: VaultId, seen: Seen): Promise<void> {
    try {
      const kept = await this.#file(vault).read()
      if (kept !== undefined && !isFurther(seen.mark, kept)) return
      await createFolder(this.#dir, 0o700)
      await alone(join(this.#dir, `${vault}${LOCK}`), () => this.#replace(vault, seen))
    } catch (error) {
      this.#refused(error)
    }
  }

  /** While nobody else does: what is kept may have changed since it was read. */
  async #replace(vault: VaultId, { mark, checkpoint }: Seen): Promise<void> {
    const file = this.#file(vault)
    const kept = await file.read()
    if (kept !== undefined && !isFurther(mark, kept)) return
    // First: a note that is further than its mark is as good as evidence.
    if (checkpoint !== undefined) await writeDurably(join(this.#dir, `${vault}${CHECKPOINT}`), checkpoint)
    await file.write(mark)
  }

  #file(vault: VaultId): ReturnType<typeof openFsMark> {
    return openFsMark(join(this.#dir, `${vault}${MARK}`))
  }

  async #checkpoint(vault: VaultId): Promise<Bytes | undefined> {
    return await readFile(join(this.#dir, `${vault}${CHECKPOINT}`)).then(
      (bytes) => new Uint8Array(bytes),
      () => undefined,
    )
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#dir)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#refused(error)
      return []
    }
  }

  #refused(error: unknown): void {
    const { message } = error as Error
    this.#warn({
      code: 'AUDIT_MARK_UNWRITABLE',
      message: `No mark of this vault can be kept in ${this.stateDir}, so an old copy of it would not be recognised: ${message}`,
      subject: this.stateDir,
    })
  }
}

function isFurther(mark: Mark, kept: Mark): boolean {
  const numbers = ['epoch', 'sequence', 'size'] as const
  return numbers.every((name) => mark[name] >= kept[name]) && numbers.some((name) => mark[name] > kept[name])
}

function once(warn: (finding: Finding) => void): (finding: Finding) => void {
  let said = false
  return (finding) => {
    if (!said) warn(finding)
    said = true
  }
}

/** Runs this while it has the only file of that name. */
async function alone(lock: string, run: () => Promise<void>): Promise<void> {
  while (!(await take(lock))) await setTimeout(TRY_AGAIN)
  try {
    await run()
  } finally {
    await rm(lock, { force: true })
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const held = await stat(lock).catch(() => undefined)
    // The file system's clock says when it was made, the system's how late it is.
    if (held !== undefined && Date.now() - held.mtimeMs > DEAD) await rm(lock, { force: true })
    return false
  }
}
