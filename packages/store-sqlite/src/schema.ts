/** `application_id` of our files: "vSou" as a big-endian number, so that `file` and SQLite tell them from others. */
export const APPLICATION_ID: number = 0x76536f75

/** `user_version` of our files: the number of the format, `formats/soup-sqlite.md`. */
export const FORMAT_VERSION: number = 1

/**
 * Measured at 1,000,000 rows: entries of 300 bytes go in half as fast again with pages of 8 KiB as with 4 KiB, because
 * fewer of them overflow; members do not care.
 */
export const PAGE_SIZE: number = 8192

/**
 * Members lie in their key's order (no rowid): they are short, and move in that order. Entries have a rowid and lie in
 * the order of arrival, so that entries in random order dirty only their short index pages.
 * In `entries` and `members` the long column comes last, so that scans for roots do not follow overflow pages.
 */
export const TABLES: string = `
CREATE TABLE tenures (
  vault INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  state TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  migration TEXT,
  driver INTEGER,
  before_state TEXT,
  before_sequence INTEGER,
  before_migration TEXT,
  objects INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  fed INTEGER NOT NULL,
  oldest INTEGER NOT NULL,
  events INTEGER NOT NULL,
  settled INTEGER NOT NULL,
  displaced INTEGER NOT NULL,
  "check" INTEGER NOT NULL
) STRICT;
CREATE TABLE evidence (
  vault INTEGER PRIMARY KEY,
  "check" INTEGER NOT NULL,
  document BLOB NOT NULL
) STRICT;
CREATE TABLE key_events (
  vault INTEGER NOT NULL,
  n INTEGER NOT NULL,
  envelope BLOB NOT NULL,
  "check" INTEGER NOT NULL,
  PRIMARY KEY (vault, n)
) WITHOUT ROWID, STRICT;
CREATE TABLE members (
  vault INTEGER NOT NULL,
  key BLOB NOT NULL,
  id BLOB NOT NULL,
  size INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  "check" INTEGER NOT NULL,
  links BLOB,
  PRIMARY KEY (vault, key)
) WITHOUT ROWID, STRICT;
CREATE TABLE linked (
  vault INTEGER NOT NULL,
  child BLOB NOT NULL,
  parent BLOB NOT NULL,
  PRIMARY KEY (vault, child, parent)
) WITHOUT ROWID, STRICT;
CREATE TABLE entries (
  vault INTEGER NOT NULL,
  key BLOB NOT NULL,
  value BLOB NOT NULL,
  object BLOB,
  sequence INTEGER NOT NULL,
  "check" INTEGER NOT NULL,
  name TEXT NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_by_key ON entries (vault, key);
CREATE INDEX entries_by_name ON entries (vault, name);
CREATE INDEX entries_by_object ON entries (vault, object) WHERE object IS NOT NULL;
CREATE TABLE versions (
  vault INTEGER NOT NULL,
  id BLOB NOT NULL,
  object BLOB,
  "check" INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (vault, id)
) STRICT;
CREATE INDEX versions_by_object ON versions (vault, object) WHERE object IS NOT NULL;
CREATE TABLE feed (
  vault INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  total INTEGER NOT NULL,
  "check" INTEGER NOT NULL,
  items BLOB NOT NULL,
  PRIMARY KEY (vault, sequence)
) WITHOUT ROWID, STRICT;
CREATE TABLE trees (
  vault INTEGER NOT NULL,
  tree TEXT NOT NULL,
  as_of INTEGER NOT NULL,
  "check" INTEGER NOT NULL,
  PRIMARY KEY (vault, tree)
) WITHOUT ROWID, STRICT;
CREATE TABLE branches (
  vault INTEGER NOT NULL,
  tree TEXT NOT NULL,
  prefix TEXT NOT NULL,
  "check" INTEGER NOT NULL,
  children BLOB NOT NULL,
  PRIMARY KEY (vault, tree, prefix)
) WITHOUT ROWID, STRICT;
CREATE TABLE condemned (
  vault INTEGER NOT NULL,
  segment TEXT NOT NULL,
  "check" INTEGER NOT NULL,
  PRIMARY KEY (vault, segment)
) WITHOUT ROWID, STRICT;
CREATE TABLE held (
  vault INTEGER NOT NULL,
  id BLOB NOT NULL,
  size INTEGER NOT NULL,
  "check" INTEGER NOT NULL,
  PRIMARY KEY (vault, id)
) WITHOUT ROWID, STRICT;
CREATE TABLE outbox (
  vault INTEGER NOT NULL,
  n INTEGER NOT NULL,
  "check" INTEGER NOT NULL,
  event BLOB NOT NULL,
  PRIMARY KEY (vault, n)
) WITHOUT ROWID, STRICT;
CREATE TABLE batches (
  vault INTEGER NOT NULL,
  n INTEGER NOT NULL,
  migration TEXT NOT NULL,
  "check" INTEGER NOT NULL,
  record BLOB NOT NULL,
  PRIMARY KEY (vault, n)
) WITHOUT ROWID, STRICT;
CREATE TABLE displaced (
  vault INTEGER NOT NULL,
  kind TEXT NOT NULL,
  key BLOB NOT NULL,
  "check" INTEGER NOT NULL,
  was BLOB,
  PRIMARY KEY (vault, kind, key)
) WITHOUT ROWID, STRICT;
CREATE TABLE records (
  key TEXT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL,
  "check" INTEGER NOT NULL,
  value BLOB
) WITHOUT ROWID, STRICT;
`

/** The tables whose rows belong to one vault, besides `tenures`. */
export const VAULT_TABLES: readonly string[] = [
  'key_events',
  'evidence',
  'members',
  'linked',
  'entries',
  'versions',
  'feed',
  'trees',
  'branches',
  'held',
  'outbox',
  'batches',
  'displaced',
]
