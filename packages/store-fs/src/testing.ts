export type { Fault, FaultyFs, FsOperation } from './faulty-fs.ts'
export { faultyFs } from './faulty-fs.ts'
export type { SimulatedFs } from './simulated-fs.ts'
export { simulatedFs } from './simulated-fs.ts'
