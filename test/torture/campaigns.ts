import { bitFlips } from './bit-flips.ts'
import type { Campaign } from './campaign.ts'
import { failedCalls, killPoints } from './command-faults.ts'
import { diskCuts } from './disk-cuts.ts'
import { endurance } from './endurance.ts'
import { flushMutants } from './flush-mutants.ts'
import { fullDisk } from './full-disk.ts'
import { carMutations, cborMutations, certificateMutations } from './input-mutations.ts'
import { malformedRequests } from './malformed-requests.ts'
import { partitions } from './partitions.ts'
import { powerCuts } from './power-cuts.ts'
import { processRaces } from './process-races.ts'
import { reclaimCuts } from './reclaim-cuts.ts'
import { slowClients } from './slow-clients.ts'
import { wireKills } from './wire-kills.ts'

/** Those that run anywhere, the most telling first. */
export const CAMPAIGNS: readonly Campaign[] = [
  killPoints,
  failedCalls,
  bitFlips,
  cborMutations,
  carMutations,
  certificateMutations,
  processRaces,
  fullDisk,
  powerCuts,
  reclaimCuts,
  endurance,
  malformedRequests,
  wireKills,
  slowClients,
  flushMutants,
]

/** Those that need more of the machine than a program may count on: a loop device, and FUSE. */
export const DISK_CAMPAIGNS: readonly Campaign[] = [diskCuts]

/** Those that need networks of their own: root, and a kernel with namespaces of networks. */
export const NET_CAMPAIGNS: readonly Campaign[] = [partitions]
