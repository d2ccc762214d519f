// A path is visible in every network namespace, so two of these connect a port on the host's loopback with one inside the lab, without
// joining the two networks.
import { startForwarding } from './forwarding';

const [from = '', to = ''] = process.argv.slice(2);
const server = startForwarding(from, to);
server.once('listening', () => {
  const bound = server.address();
  console.log(typeof bound === 'string' || bound === null ? from : String(bound.port));
});
