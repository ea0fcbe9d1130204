import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { verifyConsistency, verifyInclusion } from '../src/index.ts'

/** Numbers, and bytes in base64, where no proof is `null` or empty. */
interface VectorFields {
  readonly desc: string
  readonly proof: readonly string[] | null
  readonly wantErr: boolean
}
interface InclusionVector extends VectorFields {
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string
  readonly leafHash: string
}
interface ConsistencyVector extends VectorFields {
  readonly size1: number
  readonly size2: number
  readonly root1: string
  readonly root2: string
}

/** Says of two equal sizes that their equal roots are consistent. The roots have 12 bytes: here no tree has them. */
const STRICTER = 'consistency/additional/sizes-are-equal-one-and-proof-is-empty.json'

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const proofOf = ({ proof }: VectorFields) => (proof ?? []).map(bytes)

function verify(vector: InclusionVector | ConsistencyVector): void {
  if ('leafIdx' in vector) {
    const { leafIdx: index, treeSize: size, root, leafHash } = vector
    verifyInclusion({ index, size, leaf: bytes(leafHash), root: bytes(root) }, proofOf(vector))
  } else {
    const { size1: from, size2: to, root1, root2 } = vector
    verifyConsistency({ from, to, fromRoot: bytes(root1), toRoot: bytes(root2) }, proofOf(vector))
  }
}

const published = fileURLToPath(new URL('../../../../shared/vectors/rfc6962/testdata/', import.meta.url))
if (!existsSync(published)) console.warn('vectors not found, 197 tests not run (proofs of transparency-dev/merkle)')
else
  describe('proofs of transparency-dev/merkle', () => {
    const files = globSync('**/*.json', { cwd: published }).sort()
    const vectors = files.map((file) => {
      const vector = JSON.parse(readFileSync(`${published}${file}`, 'utf8')) as InclusionVector | ConsistencyVector
      return { file, vector }
    })

    test('are 98 of inclusion and 98 of consistency, of which 12 hold', () => {
      const count = (start: string) => files.filter((file) => file.startsWith(start)).length
      expect([count('inclusion/'), count('consistency/'), files.length]).toEqual([98, 98, 196])
      expect(vectors.filter(({ vector }) => !vector.wantErr)).toHaveLength(12)
      expect(files).toContain(STRICTER)
    })

    test.each(vectors)('$file', ({ file, vector }) => {
      if (vector.wantErr || file === STRICTER) {
        expect(() => verify(vector)).toThrow(expect.objectContaining({ code: 'MERKLE_PROOF_INVALID' }))
      } else verify(vector)
    })
  })
