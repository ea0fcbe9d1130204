import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { link, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import type { Fs, FsFile } from './fs.ts'
import { errorCode } from './fs.ts'

function nodeFile(handle: FileHandle): FsFile {
  return {
    size: async () => (await handle.stat()).size,
    read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
    readSync: (into, position) => readSync(handle.fd, into, 0, into.length, position),
    write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
    datasync: () => handle.datasync(),
    close: () => handle.close(),
  }
}

/** The file system of the machine. */
export const nodeFs: Fs = {
  open: async (path, mode) => nodeFile(await open(path, mode === 'read' ? 'r' : 'wx+')),
  list: (path) => readdir(path),
  size: async (path) => (await stat(path)).size,
  modified: async (path) => (await stat(path)).mtimeMs,
  mkdir: async (path) => {
    try {
      await mkdir(path)
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
    }
  },
  rename,
  link,
  remove: unlink,
  syncDir: async (path) => {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}
