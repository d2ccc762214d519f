import { readFileSync, writeFileSync } from 'node:fs';

/** Where the worker tells people what it does. */
export abstract class WorkerLog {
  /** A stage of the machine's way, shown on its console too. */
  abstract stage(text: string): void;
  abstract info(text: string): void;
  abstract warn(text: string): void;
}

/** To stdout and stderr; in OSIE stages also go to the machine's console: `OSIE: t=<seconds since power-on> worker …`. */
export class ConsoleLog extends WorkerLog {
  constructor(private readonly osie: boolean) {
    super();
  }

  stage(text: string): void {
    this.info(text);
    if (!this.osie) return;
    try {
      writeFileSync('/dev/console', `OSIE: t=${uptimeSeconds().toFixed(2)} worker ${oneLine(text)}\n`, { flag: 'a' });
    } catch {
      // Nobody is looking: a container without the console, or a console that is gone.
    }
  }

  info(text: string): void {
    process.stdout.write(`${new Date().toISOString()} ${oneLine(text)}\n`);
  }

  warn(text: string): void {
    process.stderr.write(`${new Date().toISOString()} warning: ${oneLine(text)}\n`);
  }
}

/** Of the machine, not of this process; 0 where the kernel does not say. */
export function uptimeSeconds(): number {
  try {
    return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) || 0;
  } catch {
    return 0;
  }
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' | ');
}
