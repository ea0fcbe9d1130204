// Small chains with fixed keys: one that is granted, and one for each reason why something is not.

export type { DemoChain } from './demo/demo-chain.ts'
export { judgeDemo } from './demo/demo-chain.ts'
export { demoChains } from './demo/demo-chains.ts'
