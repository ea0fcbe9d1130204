// Tags: what is granted and asked.

export type { TagFindingCode } from './lint-tag.ts'
export { lintTag } from './lint-tag.ts'
export { anyOf, covers, meet } from './meet.ts'
export { parseTag } from './parse-tag.ts'
export type { Ordering, Range, Tag, TagAll, TagList, TagPath, TagPrefix, TagRange, TagRule, TagSet } from './tag.ts'
export { ANY } from './tag.ts'
export { tagText } from './tag-text.ts'
export type { VaultGrant } from './vault-tag.ts'
export { askedTag, vaultTag } from './vault-tag.ts'
