const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])

/** Whether the system's code of a refusal says that there is no room, which is no damage, and passes. */
export function isFullDisk(errno: unknown): boolean {
  return FULL.has(errno)
}
