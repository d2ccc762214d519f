import type { LeaseItem } from '../api-types';
import { define, exit, type Context } from '../cli-command';
import { asOf, atFlag } from './as-of';
import { outputFlag, printListing, showMac, timeText, type Listing } from '../output/print';
import { colorOf } from '../output/screen';
import type { Column } from '../output/table';

export const leaseList = define({
  name: 'lease list',
  summary: 'list all DHCP leases',
  examples: ['tink lease list', 'tink lease list -o json'],
  flags: { output: outputFlag, at: atFlag },
  async run({ flags }, present) {
    const context = await asOf(present, flags.at);
    await printListing(context, flags.output, leaseListing(context, await context.client.leases()));
    return exit.ok;
  },
});

function leaseListing(context: Context, leases: readonly LeaseItem[]): Listing<LeaseItem> {
  // The log only knows of what machines said; that a lease ran out is a matter of the time.
  const stateOf = ({ state, expiresAt }: LeaseItem) =>
    state === 'bound' && Date.parse(expiresAt) < context.now() ? 'expired' : state;
  const columns = (wide: boolean): readonly Column<LeaseItem>[] => {
    const time = timeText(context, wide);
    return [
      { title: 'IP Address', text: ({ ip }) => ip },
      { title: 'MAC Address', text: ({ mac }) => showMac(mac) },
      { title: 'Hostname', text: ({ hostname }) => hostname, shrinksTo: 12 },
      { title: 'State', text: stateOf, color: (lease) => colorOf(stateOf(lease)) },
      { title: 'Expires', text: ({ expiresAt }) => time(expiresAt) },
      { title: 'Bound At', text: ({ boundAt }) => time(boundAt), wideOnly: true },
      { title: 'Hardware ID', text: ({ hardwareId }) => hardwareId, wideOnly: true },
    ];
  };
  return { rows: leases, columns, document: leases };
}
