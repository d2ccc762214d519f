// A bad cable: two TAP devices, and this process between them. Kernels without netem have no other.
// Started in the namespace that gets both; whoever started it moves them where they belong.
import { constants, open, read, write } from 'node:fs';
import { promisify } from 'node:util';
import koffi from 'koffi';
import { Accidents, type Losses } from './accidents';

const setInterface = 0x400454ca;
const [tap, withoutHeader] = [0x0002, 0x1000];
const largestFrame = 65_536;
const [openFile, readFile] = [promisify(open), promisify(read)];

async function openTap(name: string): Promise<number> {
  const fd = await openFile('/dev/net/tun', constants.O_RDWR);
  const request = Buffer.alloc(40);
  request.write(name, 'latin1');
  request.writeUInt16LE(tap | withoutHeader, 16);
  const ioctl = koffi.load(null).func('int ioctl(int, unsigned long, void *)');
  if (ioctl(fd, setInterface, request) !== 0) throw new Error(`no TAP device ${name}: errno ${koffi.errno()}`);
  return fd;
}

async function carry(from: number, to: number, accidents: Accidents): Promise<never> {
  const buffer = Buffer.alloc(largestFrame);
  for (;;) {
    const { bytesRead } = await readFile(from, buffer, 0, largestFrame, null);
    const frame = Buffer.from(buffer.subarray(0, bytesRead));
    // An interface that is down takes no frame; it is lost like any other.
    accidents.pass(from, () => write(to, frame, () => undefined));
  }
}

async function main(): Promise<void> {
  const { taps, losses } = JSON.parse(process.argv[2] ?? '') as { taps: [string, string]; losses: Losses };
  const accidents = new Accidents(losses);
  const [near, far] = [await openTap(taps[0]), await openTap(taps[1])];
  process.stdout.write('ready\n');
  process.once('SIGTERM', () => {
    // An orderly exit waits for reads that may never end.
    process.stdout.write(`${JSON.stringify(accidents.count)}\n`, () => process.kill(process.pid, 'SIGKILL'));
  });
  await Promise.all([carry(near, far, accidents), carry(far, near, accidents)]);
}

void main();
