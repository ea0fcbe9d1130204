/**
 * The library for files of age, loaded where one is made or read: with what it needs itself it is half of all modules that a command
 * would load before it begins.
 */
export const loadAge = (): Promise<typeof import('age-encryption')> => import('age-encryption')
