// A short run of what `npm run fuzz` does at length, with the corpus of all runs so far.
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCorpus } from './src/corpus';
import { fuzz, FuzzFailure } from './src/fuzz';
import { heldBytes } from './src/memory';
import { BrokenPromiseError, type Target } from './src/target';
import { targets } from './src/targets';

describe.each(targets)('$name', (target) => {
  const corpus = readCorpus(fileURLToPath(new URL(`corpus/${target.name}.txt`, import.meta.url)));

  it('has a corpus', () => expect(corpus.length).toBeGreaterThan(0));

  it('keeps its promises for all of it, and for generated and changed packets', () => {
    const { inputs, taken, refused } = fuzz(target, {
      ...{ count: 4000, seed: 20_131, corpus, everyLength: false, memory: heldBytes },
    });
    expect(inputs).toBe(4000);
    expect(taken).toBeGreaterThan(400);
    expect(refused).toBeGreaterThan(400);
  });
});

describe('the harness', () => {
  const corpus = [Uint8Array.of(1, 2, 3)];
  const target = (check: Target['check']): Target => ({
    ...{ name: 'sample', about: '', longest: 8, check },
    generate: (random) => random.bytes(4),
  });

  it('says what was tried when an error is none of the codec', () => {
    const broken = target((bytes) => {
      if (bytes.length === 2) throw new RangeError('offset is outside the bounds');
      return true;
    });
    const run = () => fuzz(broken, { count: 100, seed: 1, corpus, everyLength: true });
    expect(run).toThrow(FuzzFailure);
    expect(run).toThrow(/^packet 0: RangeError: offset/);
  });

  it('says so when a packet is not read back as it was written', () => {
    const broken: Target = {
      ...target(() => true),
      generate: () => {
        throw new BrokenPromiseError('decode(encode(packet))');
      },
    };
    expect(() => fuzz(broken, { count: 1000, seed: 1, corpus, everyLength: true })).toThrow(/^seed 1, input \d+: /);
  });

  it('tries the same inputs with the same seed', () => {
    const inputs = (seed: number) => {
      const seen: string[] = [];
      fuzz(
        target((bytes) => seen.push(Buffer.from(bytes).toString('hex')) > 0),
        { count: 500, seed, corpus, everyLength: true },
      );
      return seen;
    };
    expect(inputs(7)).toEqual(inputs(7));
    expect(inputs(7)).not.toEqual(inputs(8));
  });

  it('says so when inputs leave something behind', () => {
    const left: Uint8Array[] = [];
    const memory = heldBytes;
    const leaking = target((bytes) => left.push(new Uint8Array(8192).fill(bytes.length)) > 0);
    const tidy = target((bytes) => new Uint8Array(8192).fill(bytes.length).length > 0);
    const options = { count: 8000, seed: 1, corpus, everyLength: true, memory };
    expect(() => fuzz(leaking, options)).toThrow(/^memory: \d+ MiB are held that were not before the last \d+ inputs$/);
    expect(fuzz(tidy, options).inputs).toBe(8000);
  });

  it('keeps an input that reaches code which none before it reached, and goes on from there', () => {
    const reached = new Set<string>();
    const guided = target((bytes) => {
      reached.add(bytes[0] === 0xff ? 'deep' : 'shallow');
      return bytes[0] === 0xff;
    });
    const coverage = () => {
      const parts = new Set(reached);
      reached.clear();
      return parts;
    };
    const { found } = fuzz(guided, { count: 5000, seed: 1, corpus, everyLength: true, coverage });
    expect(found).toHaveLength(1);
    expect(found[0]?.[0]).toBe(0xff);
  });
});
