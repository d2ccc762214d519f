import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal, MalformedJournalError } from './journal';

const report = (n: number, after?: unknown) => ({
  id: `wf:${n}:1:finished`,
  subject: 'tink.in.wk.w.finished',
  body: { n },
  ...(after === undefined ? {} : { after }),
});

describe('journal', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'tink-journal-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const file = () => join(dir, 'journal.ndjson');
  const reopened = (work: (journal: Journal) => void) => {
    const journal = Journal.open(dir);
    work(journal);
    journal.close();
    return Journal.open(dir);
  };

  it('remembers what is unsent, in order, over a restart', () => {
    const journal = reopened((j) => {
      [1, 2, 3].forEach((n) => j.append({ t: 'report', report: report(n) }));
      j.append({ t: 'acked', id: report(2).id });
    });
    expect(journal.unsent().map(({ body }) => body)).toEqual([{ n: 1 }, { n: 3 }]);
    expect(journal.isAcked(report(2).id)).toBe(true);
    expect(journal.report(report(2).id)).toEqual(report(2));
  });

  it('remembers after-steps until they are closed, and containers that may have changed something', () => {
    const journal = reopened((j) => {
      j.append({ t: 'report', report: report(1, { reboot: true }) }, { t: 'report', report: report(2, {}) });
      j.append({ t: 'closed', id: report(1).id }, { t: 'effect', container: 'c1' });
    });
    expect(journal.unclosed()).toEqual([report(2, {})]);
    expect([journal.hadEffect('c1'), journal.hadEffect('c2')]).toEqual([true, false]);
  });

  it('remembers nonces and folders of attempts, over a shortening too', () => {
    const padding = 'x'.repeat(2000);
    const journal = reopened((j) => {
      j.append({ t: 'nonce', container: 'c1', nonce: 'ab12' }, { t: 'own-folder', container: 'c2' });
      for (let n = 0; n < 600; n++) j.append({ t: 'report', report: { ...report(n), body: { n, padding } } });
    });
    expect([journal.nonce('c1'), journal.nonce('c2')]).toEqual(['ab12', undefined]);
    expect([journal.hasOwnFolder('c1'), journal.hasOwnFolder('c2')]).toEqual([false, true]);
    expect(readFileSync(file(), 'utf8').indexOf('"nonce"')).toBeGreaterThan(1000); // it was written anew, behind the reports
    expect(journal.all()).toHaveLength(600);
    journal.close();
  });

  it('drops a torn last line at every length and goes on behind it', () => {
    reopened((j) => j.append({ t: 'report', report: report(1) })).close();
    const first = statSync(file()).size;
    const line = `${JSON.stringify({ t: 'report', report: report(2) })}\n`;
    for (let kept = 1; kept < line.length; kept++) {
      truncateSync(file(), first);
      appendFileSync(file(), line.slice(0, kept));
      const journal = reopened((j) => j.append({ t: 'effect', container: 'c' }));
      expect(journal.unsent()).toEqual([report(1)]);
      expect(journal.hadEffect('c')).toBe(true);
      journal.close();
    }
  });

  it('refuses a damaged line in the middle, naming file and line', () => {
    writeFileSync(file(), '{"t":"effect","container":"c"}\n{"t":"rep\n{"t":"acked","id":"x"}\n');
    expect(() => Journal.open(dir)).toThrow(MalformedJournalError);
    expect(() => Journal.open(dir)).toThrow(/journal\.ndjson line 2: not JSON/);
    writeFileSync(file(), '{"t":"effect"}\n');
    expect(() => Journal.open(dir)).toThrow(/line 1: unknown entry "effect"/);
    writeFileSync(file(), '{"t":"nonce","container":"c"}\n');
    expect(() => Journal.open(dir)).toThrow(/line 1: unknown entry "nonce"/);
    writeFileSync(file(), 'null\n');
    expect(() => Journal.open(dir)).toThrow(/line 1/);
  });

  it('shortens a long file at start without forgetting anything open', () => {
    const padding = 'x'.repeat(1200);
    const journal = reopened((j) => {
      j.append({ t: 'report', report: report(0) });
      for (let n = 1; n <= 1000; n++) {
        j.append(
          { t: 'report', report: { ...report(n), body: { n, padding } } },
          { t: 'acked', id: report(n).id },
          { t: 'effect', container: `c${n}` },
        );
      }
    });
    expect(journal.unsent()).toEqual([report(0)]);
    expect(journal.hadEffect('c1000')).toBe(true);
    expect(journal.isAcked(report(1000).id)).toBe(true);
    expect(journal.report(report(400).id)).toBeUndefined();
    journal.append({ t: 'effect', container: 'later' });
    expect(readFileSync(file(), 'utf8').endsWith('{"t":"effect","container":"later"}\n')).toBe(true);
    expect(statSync(file()).size).toBeLessThan(1_000_000);
  });

  it('keeps what it holds to its owner', () => {
    Journal.open(dir).close();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });
});
