import { describe, test } from 'vitest'
import { createMemoryLog } from '../src/index.ts'
import { logContract } from '../src/testing.ts'

describe('a log in memory', () => {
  for (const { name, run } of logContract) test(name, () => run(createMemoryLog()))
})
