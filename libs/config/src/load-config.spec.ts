import { IsInt, IsUrl, Max, Min } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from './load-config';

class Sample {
  @IsInt() @Min(1) @Max(65535) readonly PORT: number = 80;
  @IsUrl({ require_tld: false, protocols: ['nats'], require_protocol: true }) readonly NATS_URL: string =
    'nats://127.0.0.1:4222';
}

describe('loadConfig', () => {
  it('takes defaults for what is absent or empty, converts the rest, and freezes', () => {
    const config = loadConfig(Sample, { PORT: '8080', NATS_URL: '', UNKNOWN: 'ignored' });
    expect(config).toEqual({ PORT: 8080, NATS_URL: 'nats://127.0.0.1:4222' });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('reports every fault together, with name and value', () => {
    const load = () => loadConfig(Sample, { PORT: 'eighty', NATS_URL: 'nowhere' });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/PORT=eighty[\s\S]*NATS_URL=nowhere/);
  });

  it('says of what is missing that it is not set', () => {
    class Needed {
      @IsInt() readonly PORT?: number;
    }
    expect(() => loadConfig(Needed, { PORT: '' })).toThrow(/^ {2}PORT is not set: PORT must be an integer/m);
  });
});
