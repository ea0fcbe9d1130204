import type { LogStore } from './log-store.ts'
import { entriesPath, TILE_WIDTH, tilePath } from './tile.ts'

/**
 * Removes the partial files that nobody can ask for once the head has gone `from` one size `to` the next: those beside a tile that
 * has become full, and those of sizes in between, which were never published. An append that a loss of power interrupted may have left
 * the latter in pieces. Nothing relies on them, so what fails is no error.
 */
export async function removeSuperseded(store: LogStore, from: number, to: number): Promise<void> {
  for (let level = 0; from < to; level++) {
    const index = Math.floor(from / TILE_WIDTH)
    const full = Math.floor(to / TILE_WIDTH)
    for (const path of level === 0 ? [tilePath(level, index), entriesPath(index)] : [tilePath(level, index)]) {
      // Only the first of the tiles that are full by now was partial before.
      if (index === full)
        await removePartials(store, path, (width) => width > from % TILE_WIDTH && width < to % TILE_WIDTH)
      else await removePartials(store, path)
    }
    from = index
    to = full
  }
}

/** Removes the partial files beside the last full tile of each level: what an interrupted removal has left. */
export async function sweepPartials(store: LogStore, size: number): Promise<void> {
  for (let level = 0, full = Math.floor(size / TILE_WIDTH); full > 0; level++, full = Math.floor(full / TILE_WIDTH)) {
    await removePartials(store, tilePath(level, full - 1))
    if (level === 0) await removePartials(store, entriesPath(full - 1))
  }
}

async function removePartials(
  store: LogStore,
  full: string,
  which: (width: number) => boolean = () => true,
): Promise<void> {
  try {
    const names = await store.list(`${full}.p`)
    await store.remove(names.filter((name) => which(Number(name))).map((name) => `${full}.p/${name}`))
  } catch {
    // Nothing that anybody relies on.
  }
}
