// The npm package dhcp's client in a process of its own, inside a namespace: takes one lease, prints it as JSON, ends.
import { type ClientState, createClient } from 'dhcp';

const client = createClient({ mac: process.argv[2] ?? '', features: ['hostname'] });
client.on('bound', (state: ClientState) => {
  process.stdout.write(JSON.stringify(state));
  client.close();
});
client.on('error', (error: Error) => {
  process.stderr.write(String(error));
  process.exitCode = 1;
  client.close();
});
client.listen(undefined, undefined, () => client.sendDiscover());
