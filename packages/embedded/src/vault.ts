import type { AuditActor } from '@vault/audit-chain'
import type { BulkCasReader, CasReader } from '@vault/cas'
import { linksOf, readFile } from '@vault/cas'
import {
  type AbortOptions,
  type Authorize,
  type Bytes,
  type Clock,
  type Codec,
  type ContentId,
  copyBytes,
  type Finding,
  type Inception,
  type KeyState,
  type Random,
  type Signer,
  type VaultId,
} from '@vault/core'
import { keyStateAt } from '@vault/migration'
import type { Committed, Entry, Query, VaultSoup } from '@vault/soup'
import { storeAndCommit } from '@vault/soup'
import type { Principal, RevocationReason } from '@vault/spki-caps'
import { type ReclaimEvent, type ReclaimOptions, type Statement, statementOf } from '@vault/transfer'
import type { Act, Reason } from './act.ts'
import { type ApprovalState, approvalState, mandateFor, missingApprovals } from './caps/approvals.ts'
import { type Approving, CapDesk, type MandatedAction, type Mandating, type SigningOptions } from './caps/cap-desk.ts'
import { refuseCapEntries } from './caps/cap-entry.ts'
import type { CapCalling, IssuedName } from './caps/define-name.ts'
import type { CapGrant, IssuedCap } from './caps/issue-cap.ts'
import type { CapNarrowing } from './caps/narrow-cap.ts'
import type { PublishedRevocations } from './caps/publish-revocations.ts'
import type { RevokedThing } from './caps/revoke-cap.ts'
import type { ValidatedCap } from './caps/validate-cap.ts'
import type { VaultCaps } from './caps/vault-caps.ts'
import { type AdoptCeremonyOptions, adoptCeremony } from './ceremony/adopt-ceremony.ts'
import type { CeremonyFolder } from './ceremony/ceremony-folder.ts'
import { type CarExport, exportNames } from './export-car.ts'
import { extractFile, extractFiles } from './get-files.ts'
import { type ImportEvent, type ImportOptions, importNamed } from './import-car.ts'
import { Leaves } from './leaves.ts'
import type { MarkKeeper } from './mark-keeper.ts'
import { nameFromPath } from './name.ts'
import type { Commit } from './name-changes.ts'
import { extractionsUnder, fileNamed, filesUnder, keyOfName, type NamedFile } from './named-files.ts'
import type { Place } from './place.ts'
import { type PutEvent, type PutOptions, putFiles } from './put-files.ts'
import { reclaimed, reclaimPlace } from './reclaim.ts'
import { Recorder, type VaultChange } from './recorder.ts'
import { type RetireOptions, retireVault } from './retire-vault.ts'
import { type RotateOptions, rotateKeys } from './rotate-keys.ts'
import { type ScrubEvent, scrubVault } from './scrub.ts'
import { SeenFiles } from './seen/seen-files.ts'
import { unknownName } from './unknown-name.ts'
import { VaultLog } from './vault-log.ts'
import { statusOf, type VaultStatus } from './vault-status.ts'
import { WriterGate } from './writer-gate.ts'

const PAGE = 1000

/**
 * An open vault. Made by `openVault`. Everything that changes it has an entry in its audit log, committed with it; what is
 * committed is written into the log soon after, and at the latest when the vault is closed.
 */
export class Vault implements AsyncDisposable {
  readonly id: VaultId
  readonly inception: Inception
  readonly place: Place
  readonly soup: VaultSoup
  readonly random: Random
  readonly log: VaultLog
  /** Who may do what. */
  readonly caps: VaultCaps
  /** Asked before everything that is done with the vault; for a migration, too, whose source it is. */
  readonly authorize: Authorize
  readonly #clock: Clock
  readonly #keeper: MarkKeeper | undefined
  readonly #stateDir: string | undefined
  readonly #recorder: Recorder
  readonly #leaves: Leaves
  readonly #desk: CapDesk

  constructor(parts: {
    readonly inception: { readonly vault: VaultId; readonly inception: Inception }
    readonly place: Place
    readonly authorize: Authorize
    readonly caps: VaultCaps
    /** Who acts, as the audit log is to call them. */
    readonly actor: Pick<AuditActor, 'name' | 'key'>
    readonly random: Random
    readonly clock: Clock
    /** As the place was opened. */
    readonly mode: 'read' | 'write'
    /** Told how far the log is. */
    readonly keeper?: MarkKeeper
    readonly stateDir?: string | undefined
  }) {
    this.id = parts.inception.vault
    this.inception = parts.inception.inception
    this.place = parts.place
    this.soup = parts.place.soups.soup(this.id)
    this.random = parts.random
    this.authorize = parts.authorize
    this.caps = parts.caps
    this.#clock = parts.clock
    this.#keeper = parts.keeper
    this.#stateDir = parts.stateDir
    const { dir, soups, objects } = this.place
    const { clock, random } = parts
    this.log = new VaultLog({
      vault: this.id,
      dir,
      soups,
      clock,
      writable: parts.mode === 'write',
      drained: async (trail) => await this.#keeper?.saw(trail),
    })
    const committed = () => this.log.wake()
    const { id: vault, soup, caps } = this
    const { authorize, actor } = parts
    const gate = new WriterGate({ vault, dir, soups, clock })
    const recorder = new Recorder({ vault, objects, soup, gate, clock, random, committed })
    const leaves = new Leaves({ vault, soup, authorize, actor, clock, gate })
    this.#recorder = recorder
    this.#leaves = leaves
    this.#desk = new CapDesk({ caps, leaves, recorder })
  }

  /** Objects by content id. Whoever puts through it must bring what was put under charge by `commit`. */
  get objects(): CasReader & BulkCasReader {
    return this.place.objects
  }

  async status(options: AbortOptions = {}): Promise<VaultStatus> {
    return await statusOf(this, options)
  }

  /** The keys that act for the vault, and every event that made them so. Throws `KEY_EVENT_INVALID`. */
  async keys(options: AbortOptions = {}): Promise<KeyState> {
    return await keyStateAt({ store: this.place.soups }, this.id, options)
  }

  /** Replaces keys of the vault by new ones, with an entry in the audit log. See {@link RotateOptions}. */
  async rotateKeys(options: RotateOptions & AbortOptions): Promise<KeyState> {
    const { actor } = await this.#leaves.to('rotate-keys', options)
    const parts = { vault: this.id, place: this.place, actor, clock: this.#clock, random: this.random }
    const state = await rotateKeys(parts, options)
    this.log.wake()
    return state
  }

  /** Ends the vault for ever, with a last entry in the audit log. See {@link RetireOptions}. */
  async retire(options: RetireOptions & AbortOptions = {}): Promise<KeyState> {
    const { actor } = await this.#leaves.to('rotate-keys', options)
    const parts = { vault: this.id, place: this.place, actor, clock: this.#clock }
    const state = await retireVault(parts, options)
    this.log.wake()
    return state
  }

  /** Makes the key event of a complete ceremony one of the vault, with an entry in the audit log that names the ceremony. */
  async adoptCeremony(folder: CeremonyFolder, options: AdoptCeremonyOptions & AbortOptions = {}): Promise<KeyState> {
    const { actor } = await this.#leaves.to('rotate-keys', options)
    const parts = { vault: this.id, place: this.place, actor, clock: this.#clock }
    const state = await adoptCeremony(parts, folder, options)
    this.log.wake()
    return state
  }

  /** Both roots over one unchanging view, with counts and sequence. */
  async roots(options: AbortOptions = {}): Promise<Statement> {
    return await statementOf(this.soup, options)
  }

  /**
   * Applies a change under the present epoch, with an entry in the audit log: its own, by default of the verb `commit`, before
   * `events`. Throws `VAULT_MOVED`, `VAULT_READ_ONLY`, what `authorize` throws and what `Soup.commit` throws.
   */
  async commit(change: VaultChange, options: AbortOptions & Partial<Act> = {}): Promise<Committed> {
    refuseCapEntries(change)
    const { signal, verb = 'commit', ...act } = options
    const leave = await this.#leaves.forChange(change, { signal })
    return await this.#recorder.commit(change, leave, { verb, ...act }, { signal })
  }

  /** Stores one block and brings it under charge. Durable when it resolves; its entry follows into the log. */
  async put(
    bytes: Uint8Array,
    options: AbortOptions & Pick<Act, 'motivation' | 'key'> & { readonly codec?: Codec } = {},
  ): Promise<ContentId> {
    const leave = await this.#leaves.to('write', options)
    const { signal, codec, ...act } = options
    const format = { ...(codec && { codec }), hash: this.inception.content.hash }
    const kept = copyBytes(bytes)
    return await storeAndCommit(async () => {
      const { id, segment } = await this.place.objects.putPlaced(kept, { signal, ...format })
      const add = [{ id, size: kept.length, links: linksOf({ id, bytes: kept }) }]
      const change = { objects: { add }, expect: { segments: [segment] } }
      await this.#recorder.commit(change, leave, { verb: 'put', ...act }, { signal })
      return id
    })
  }

  /** The bytes of one block, or `undefined` where it is not held here. Throws `CAS_CORRUPT`. */
  async get(id: ContentId, options: AbortOptions = {}): Promise<Bytes | undefined> {
    return await this.place.objects.get(id, options)
  }

  /** The content of a file, whole or in part, in pieces. Throws `CAS_CORRUPT`, `CAS_MISSING`. */
  read(
    id: ContentId,
    options: AbortOptions & { readonly range?: { start: number; end: number } } = {},
  ): AsyncIterable<Bytes> {
    return readFile(this.place.objects, id, options)
  }

  /** Puts files and folders from disk under their paths as given. See `nameFromPath`. */
  async *putFiles(paths: readonly string[], options: PutOptions = {}): AsyncGenerator<PutEvent> {
    const { soup, place, inception } = this
    const commit = await this.committer('put', paths.map(nameFromPath), options)
    using seen = await this.#seenFiles()
    yield* putFiles(
      { objects: place.objects, soup, content: inception.content, commit, exclude: place.dir, seen },
      paths,
      options,
    )
  }

  async #seenFiles(): Promise<SeenFiles | undefined> {
    if (this.#stateDir === undefined) return undefined
    const { instance } = this.place.info
    return await SeenFiles.open({ stateDir: this.#stateDir, instance, vault: this.id, clock: this.#clock })
  }

  /** The file of this name. */
  async file(name: string, options: AbortOptions = {}): Promise<NamedFile | undefined> {
    return await fileNamed(this.soup, name, options)
  }

  /** Files that lie under a folder, at any depth, in the order of names; all for the empty name. Not the file of that very name: see `resolveName`. In pages. */
  files(folder = '', options: AbortOptions = {}): AsyncGenerator<readonly NamedFile[]> {
    return filesUnder(this.soup, folder, options)
  }

  /** Entries that match, in pages. */
  find(query: Query, options: AbortOptions = {}): AsyncIterable<readonly Entry[]> {
    return this.soup.query(query, options)
  }

  /** Writes a file's content to a path. Durable when it resolves. Throws `FILE_EXISTS`. */
  async extract(
    file: Pick<NamedFile, 'object'> & Partial<NamedFile>,
    target: { readonly path: string; readonly replace?: boolean },
    options: AbortOptions = {},
  ): Promise<number> {
    const executable = file.mode === 0o100755
    return await extractFile(this.place.objects, file.object, { ...target, executable }, options)
  }

  /** Writes all files under a folder of the vault to a folder on disk, by their names relative to it. */
  extractFolder(
    folder: string,
    target: { readonly dir: string; readonly replace?: boolean },
    options: AbortOptions = {},
  ): AsyncGenerator<{ readonly files: number; readonly bytes: number }> {
    return extractFiles(this.place.objects, () => extractionsUnder(this.soup, folder, options), target, options)
  }

  /** Removes names; an object that nothing names any more leaves charge with them. */
  async remove(names: readonly string[], options: AbortOptions & Reason = {}): Promise<Committed> {
    // Who may not remove them is not told which of them there are.
    await this.#leaves.requireWriting(names, options)
    const release: ContentId[] = []
    for (const name of names) {
      const file = await this.file(name, options)
      if (file === undefined) throw unknownName(name, this.place)
      release.push(file.object)
    }
    return await this.commit(
      { entries: { remove: names.map(keyOfName) }, objects: { release } },
      { ...options, verb: 'remove' },
    )
  }

  /** Removes all names under a folder, some thousand in a step; gives the number of names removed. */
  async removeFolder(folder: string, options: AbortOptions & Reason = {}): Promise<number> {
    await this.#leaves.requireWriting([folder], options)
    let removed = 0
    for (;;) {
      const names: string[] = []
      for await (const page of this.files(folder, options)) {
        names.push(...page.map((file) => file.name))
        if (names.length >= PAGE) break
      }
      if (names.length === 0) return removed
      await this.remove(names, options)
      removed += names.length
    }
  }

  /** A CAR of these names, folders or content ids: see `CarExport`. `.` is everything that has a name. */
  async exportCar(words: readonly string[], options: AbortOptions = {}): Promise<CarExport> {
    return await exportNames(this, words, options)
  }

  /** Reads a CAR, which may come from anyone, brings it under charge and names its files. See `ImportOptions`. */
  async *importCar(chunks: AsyncIterable<Uint8Array>, options: ImportOptions = {}): AsyncGenerator<ImportEvent> {
    const commit = await this.committer('import', [options.name ?? ''], options)
    yield* importNamed({ objects: this.place.objects, soup: this.soup, commit }, chunks, options)
  }

  /** Reads back everything, or a sample, and names what is damaged. The last event is the report. */
  scrub(options: AbortOptions & { readonly sample?: number } = {}): AsyncGenerator<ScrubEvent> {
    const { soup, log, random } = this
    return scrubVault({ dir: this.place.dir, objects: this.place.objects, soup, log, random }, options)
  }

  /**
   * Frees the bytes in this folder that no vault in it needs. The last event is the report. Other writers may go on meanwhile; see
   * `reclaimSpace` of `@vault/transfer`. Throws `SOUP_CORRUPT`, and has removed nothing, where it cannot be told what is needed.
   */
  async *reclaim(options: ReclaimOptions & Reason = {}): AsyncGenerator<ReclaimEvent> {
    const { motivation, ...reclaiming } = options
    const { signal } = options
    await this.require('reclaim', { signal })
    const report = yield* reclaimPlace(this.place, reclaiming)
    // A vault that does not change here has no log that could go on here.
    const isTold =
      options.dryRun !== true && report.segments > 0 && (await this.soup.tenure({ signal })).state === 'active'
    if (isTold) {
      const act: Act = { verb: 'reclaim', ...(motivation !== undefined && { motivation }) }
      await this.#recorder.note(act, reclaimed(report), await this.#leaves.to('reclaim', options), { signal })
    }
    yield { type: 'report', ...report }
  }

  /**
   * Writes what waits for the log, and closes the stores. Throws where the log cannot be written: what was committed
   * is safe, and whoever opens the vault for writing next writes its entries.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.log.close()
      await this.#keeper?.close()
    } finally {
      await this.place[Symbol.asyncDispose]()
    }
  }

  /** Throws `CAPS_DENIED` unless whoever opened the vault may do this, with all of it or at this path. */
  async require(
    action: string,
    { signal, path }: AbortOptions & { readonly path?: readonly string[] } = {},
  ): Promise<void> {
    await this.#leaves.ask(action, { signal }, path)
  }

  /**
   * Issues a certificate, signed by the vault's operators, or by `signers`: one as itself, several as the threshold to which something
   * was granted. What its issuer does not hold it does not grant; `findings` say so. Throws `CAPS_DENIED`, `CAPS_OPERATORS_MISSING`,
   * `CAPS_ISSUER_UNKNOWN`, `VAULT_READ_ONLY`.
   */
  async issueCap(grant: CapGrant, options: SigningOptions = {}): Promise<IssuedCap> {
    return await this.#desk.issue(grant, options)
  }

  /**
   * Grants on what one certificate grants, or less of it. Throws `CAPS_WIDER` with all that would be more, `CAPS_DENIED` where it does not
   * grant to the signers, `CAPS_UNKNOWN`, `VAULT_READ_ONLY`.
   */
  async attenuateCap(
    id: ContentId,
    narrowing: CapNarrowing,
    options: SigningOptions & { readonly signers: readonly Signer[] },
  ): Promise<IssuedCap> {
    return await this.#desk.attenuate(id, narrowing, options)
  }

  /**
   * Says that somebody is called by a name of the vault, or of the one who signs: what is granted to the name reaches him, until that ends
   * or is revoked. As {@link issueCap}.
   */
  async nameCap(calling: CapCalling, options: SigningOptions = {}): Promise<IssuedName> {
    return await this.#desk.name(calling, options)
  }

  /** Takes back a certificate, or all that a key signs, for ever. As {@link issueCap}; throws `CAPS_UNKNOWN` besides. */
  async revokeCap(
    target: RevokedThing,
    options: SigningOptions & { readonly reason?: RevocationReason } = {},
  ): Promise<{ readonly id: ContentId }> {
    return await this.#desk.revoke(target, options)
  }

  /**
   * Says that a certificate is still good, up to a time, by the one that it names for that: the vault's operators, or `signers`; where these
   * speak for several that it names, `by` says for which, and each is asked for by a call of its own. It is kept instead of what the same
   * one has said before, also where that was said by a clock that was ahead, and begins later. Throws `CAPS_DENIED` where it would not
   * count, `CAPS_ISSUER_UNKNOWN` without a `by` that it takes, `CAPS_UNKNOWN`, `CAPS_OPERATORS_MISSING`, `VAULT_READ_ONLY`.
   */
  async validateCap(
    certificate: ContentId,
    until: Date,
    { by, ...options }: SigningOptions & { readonly by?: Principal } = {},
  ): Promise<ValidatedCap> {
    return await this.#desk.validate({ certificate, until, ...(by !== undefined && { by }) }, options)
  }

  /**
   * Says, signed by the operators, that these are all revocations, up to a time. From the first such set on, whoever acts by certificates is
   * refused with `CAPS_STALE` where the vault has no set that is fresh enough; the place itself is not. After other operators came, by a
   * rotation or a move, another one is needed. Throws `CAPS_SET_ENDS`, `CAPS_OPERATORS_MISSING`, `VAULT_READ_ONLY`.
   */
  async publishRevocations(until: Date, options: SigningOptions = {}): Promise<PublishedRevocations> {
    return await this.#desk.publish(until, options)
  }

  /**
   * Approves an act before it is done, each signer for himself: the plan of a hand-off, by its id. Throws `CAPS_DENIED` where `approve` is not granted to one,
   * `VAULT_READ_ONLY`.
   */
  async approve(
    approving: Approving,
    options: SigningOptions & { readonly signers: readonly Signer[] },
  ): Promise<{ readonly ids: readonly ContentId[] }> {
    return await this.#desk.approve(approving, options)
  }

  /**
   * Says, signed by the operators, how many others have to approve an act of a kind before it is done: different people, none of whom does it.
   * The last word counts. Throws `CAPS_OPERATORS_MISSING`, `VAULT_READ_ONLY`.
   */
  async mandate(
    mandating: Mandating,
    options: SigningOptions = {},
  ): Promise<{ readonly id: ContentId; readonly seq: number }> {
    return await this.#desk.mandate(mandating, options)
  }

  /** How many others have to approve an act of a kind; 0: nobody. `undefined`: a mandate says so that cannot be read, and nothing is enough. */
  async approvalsNeeded(action: MandatedAction, options: AbortOptions = {}): Promise<number | undefined> {
    return (await mandateFor(this.caps, action, options)).approvals
  }

  /** How far this act is approved just now, whoever carries it out. */
  async approvals(
    { action, act }: Pick<Approving, 'action' | 'act'>,
    options: AbortOptions = {},
  ): Promise<ApprovalState> {
    return await approvalState(this.caps, { action, act }, options)
  }

  /**
   * Why this act, by whoever opened the vault, is not approved as its mandate asks; empty where it is, or none asks. `anywhere`: its plan does
   * not say to which place it leads, and nobody can approve that.
   */
  async missingApprovals(
    { action, act, anywhere = false }: Pick<Approving, 'action' | 'act'> & { readonly anywhere?: boolean },
    options: AbortOptions = {},
  ): Promise<readonly Finding[]> {
    const executors = await this.#leaves.executors(action, this.place.info.key, options)
    return await missingApprovals(this.caps, { action, act, anywhere, executors }, options)
  }

  /**
   * Changes of one kind of act, each of which is asked for, because what was granted may be taken back meanwhile; and asked for once before
   * anything is stored, of the whole vault or of all that lies at or below these names: who is refused leaves no bytes behind.
   */
  private async committer(verb: string, names: readonly string[], options: AbortOptions & Reason): Promise<Commit> {
    const { signal, motivation } = options
    await this.#leaves.requireWriting(names, { signal })
    const act: Act = { verb, ...(motivation !== undefined && { motivation }) }
    return async (change) => {
      const leave = await this.#leaves.forChange(change, { names, signal })
      return (await this.#recorder.commit(change, leave, act, { signal })).added
    }
  }

  /** Who does this, as the audit log is to say it: with the key that has proved it, and not with one that was only named. Throws what `authorize` throws. */
  async actorFor(action: string, options: AbortOptions = {}): Promise<AuditActor> {
    return await this.#leaves.actorFor(action, options)
  }
}
