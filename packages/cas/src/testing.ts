export { casContract } from './contract.ts'
export type { CasCall, CasFaults } from './faulty.ts'
export { faultyCas } from './faulty.ts'
