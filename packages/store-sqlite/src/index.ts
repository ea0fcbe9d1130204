export type { SqliteSoupOptions } from './store.ts'
export { openSqliteSoupStore } from './store.ts'
