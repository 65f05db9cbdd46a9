// All rows of the fault matrix, in the order of the table.
import type { Fault } from '../fault.ts'
import { linkFaults } from './link.ts'
import { loginFaults } from './login.ts'
import { machineFaults } from './machine.ts'
import { networkFaults } from './network.ts'
import { reachingFaults } from './reaching.ts'
import { serverFaults } from './server.ts'

export const FAULTS: readonly Fault[] = [
  ...reachingFaults,
  ...loginFaults,
  ...linkFaults,
  ...serverFaults,
  ...machineFaults,
  ...networkFaults,
]
