import {
  closeSync,
  fdatasync,
  fstatSync,
  fsync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import type { Fs, FsFile } from './fs.ts'
import { nodeFs } from './node-fs.ts'

const flush = promisify(fsync)
const flushData = promisify(fdatasync)

/**
 * The file system of the machine for files of a few kibibytes: all but flushes are done within the call, as each takes some
 * 10 µs and a thread and a promise for it take 50. An append to a log makes about 40 such calls.
 */
export const smallFileFs: Fs = {
  ...nodeFs,
  open: async (path, mode) => openFile(openSync(path, mode === 'read' ? 'r' : 'wx+')),
  size: async (path) => statSync(path).size,
  rename: async (from, to) => renameSync(from, to),
  link: async (existing, path) => linkSync(existing, path),
  remove: async (path) => unlinkSync(path),
  syncDir: async (path) => {
    const descriptor = openSync(path, 'r')
    try {
      await flush(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },
}

function openFile(descriptor: number): FsFile {
  const read = (into: Uint8Array, position: number) => readSync(descriptor, into, 0, into.length, position)
  return {
    size: async () => fstatSync(descriptor).size,
    read: async (into, position) => read(into, position),
    readSync: read,
    write: async (bytes, position) => writeSync(descriptor, bytes, 0, bytes.length, position),
    datasync: () => flushData(descriptor),
    close: async () => closeSync(descriptor),
  }
}
