export { logContract } from './contract.ts'
