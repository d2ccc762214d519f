import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** Commits between two copies: some ten megabytes. */
const copyEvery = 2000;

// A bundle has one file, so the thread's few lines are text. `synchronous` as the one who writes.
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const Database = require(workerData.sqlite);
const db = new Database(workerData.file);
db.pragma('synchronous = NORMAL');
parentPort.on('message', (message) => {
  if (message === 'close') {
    db.close();
    parentPort.close();
    return;
  }
  let fault = '';
  try {
    db.pragma('wal_checkpoint(PASSIVE)');
  } catch (error) {
    fault = String(error);
  }
  parentPort.postMessage(fault);
});`;

/**
 * Copies the write-ahead log of a SQLite file into it on a thread of its own, beside who reads and writes: the copy takes up to a tenth of a
 * second and waits for the disk. When it fails or does not keep up, SQLite copies on the thread that writes (`wal_autocheckpoint`).
 */
export class WalThread {
  #worker: Worker | undefined;
  #gone: Promise<void> = Promise.resolve();
  #copying = false;
  #commits = 0;

  constructor(
    private readonly file: string,
    private readonly log: (line: string) => void,
  ) {}

  /** A transaction with so many commits was stored. */
  stored(commits: number): void {
    this.#commits += commits;
    if (this.#commits < copyEvery || this.#copying) return;
    this.#commits = 0;
    this.#copying = true;
    (this.#worker ??= this.#start()).postMessage('copy');
  }

  /** To be called before the last connection is closed, which copies what is left. */
  async close(): Promise<void> {
    this.#worker?.ref();
    this.#worker?.postMessage('close');
    await this.#gone;
  }

  #start(): Worker {
    const sqlite = createRequire(__filename).resolve('better-sqlite3');
    const worker = new Worker(program, { eval: true, workerData: { sqlite, file: this.file } });
    // `copying` stays: a thread that ended copies nothing more.
    worker.on('error', (error) =>
      this.log(`${this.file}: its write-ahead log is copied by who writes: ${error.message}`),
    );
    worker.on('message', (fault: string) => {
      this.#copying = false;
      if (fault !== '') this.log(`${this.file}: its write-ahead log cannot be copied now: ${fault}`);
    });
    this.#gone = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.unref();
    return worker;
  }
}
