import { shortNames } from '@tinkerbell/projections';
import type { Client } from '../client';
import { showMac } from '../output/print';
import type { Candidate, Candidates } from './candidates';

type Question = Extract<Candidates, { readonly kind: 'ask' }>['what'];

/** What the server knows of: ids with a word on each. */
export async function askServer(
  client: Client,
  what: Question,
  before: readonly string[],
): Promise<readonly Candidate[]> {
  switch (what) {
    case 'template':
      return (await client.templates()).map(({ id, name }) => ({ text: id, about: name }));
    case 'subscription':
      return (await client.subscriptions()).map(({ name, status, webhook }) => ({
        text: name,
        about: webhook ? `${status} ${webhook.url}` : status,
      }));
    case 'workflow':
      return (await client.workflows()).map(({ id, templateName, status }) => ({
        text: id,
        about: `${templateName} ${status}`,
      }));
    case 'secret':
      return (await client.secrets()).map(({ name, version }) => ({ text: name, about: `version ${version}` }));
    case 'action':
    case 'awaiting-approval':
    case 'unknown': {
      const { actions } = await client.workflow(before[0] ?? '');
      const names = shortNames(actions.map(({ spec }) => spec));
      return actions.flatMap(({ status }, index) =>
        what === 'action' || what === status ? [{ text: names[index] ?? '', about: status }] : [],
      );
    }
    default:
      return hardwareCandidates(client, what);
  }
}

async function hardwareCandidates(
  client: Client,
  what: 'hardware' | 'mac' | 'ip' | 'machine',
): Promise<readonly Candidate[]> {
  const items = await client.hardwareList();
  return items.flatMap(({ hardware: { id, network } }) => {
    const [first] = network.interfaces;
    const about = [first?.dhcp.hostname ?? '', first?.dhcp.ip?.address ?? ''].filter((part) => part !== '').join(' ');
    if (what === 'hardware') return [{ text: id, about }];
    return network.interfaces.flatMap(({ dhcp: { mac, ip, hostname } }) => {
      if (what === 'mac') return [{ text: showMac(mac), about: hostname }];
      if (what === 'ip') return ip ? [{ text: ip.address, about: hostname }] : [];
      return [{ text: hostname === '' ? showMac(mac) : hostname, about: id }];
    });
  });
}
