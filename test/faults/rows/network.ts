// Faults that the kernel itself must make, in a network namespace that Neovim and the host live in.
import type { Fault } from '../fault.ts'

const NEEDS = 'a network namespace'

export const networkFaults: readonly Fault[] = [
  {
    name: 'host unreachable',
    how: 'the kernel has no way to it (EHOSTUNREACH)',
    moment: 'first prompt',
    codes: ['SSH_UNREACHABLE'],
    within: 3,
    needs: NEEDS,
    strike: ({ namespace, proxy }) => namespace?.ip('route', 'add', 'unreachable', proxy.host),
    mend: ({ namespace, proxy }) => namespace?.ip('route', 'del', 'unreachable', proxy.host),
  },
  {
    name: 'network down',
    how: 'the only interface is down (ENETUNREACH)',
    moment: 'first prompt',
    codes: ['SSH_UNREACHABLE'],
    within: 3,
    needs: NEEDS,
    strike: ({ namespace }) => namespace?.down(),
    mend: ({ namespace }) => namespace?.up(),
  },
  {
    name: 'address removed in mid-answer',
    how: 'as when a laptop leaves its Wi-Fi; the kernel tells nobody',
    moment: 'in mid-answer',
    codes: ['SSH_DISCONNECTED'],
    within: 15,
    needs: NEEDS,
    strike: ({ namespace }) => namespace?.removeAddress(),
    mend: ({ namespace }) => namespace?.up(),
  },
  {
    name: 'address changed while idle',
    how: 'as when a laptop changes its network',
    moment: 'idle, then a prompt',
    codes: ['SSH_DISCONNECTED'],
    within: 15,
    needs: NEEDS,
    strike: ({ namespace, proxy }) => {
      // Nothing passes any more anyhow; so the proxy ends in the mend what it cannot hear the end of.
      proxy.abandon()
      return namespace?.changeAddress()
    },
  },
]
