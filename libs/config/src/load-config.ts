import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';

export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`invalid configuration:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
}

/** Reads one class of settings out of the environment (or any record), reports every fault together, and freezes the result. */
export function loadConfig<T extends object>(
  type: new () => T,
  source: Readonly<Record<string, unknown>>,
): Readonly<T> {
  const known = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const config = plainToInstance(type, { ...new type(), ...known }, { enableImplicitConversion: true });
  const faults = validateSync(config, { whitelist: true }).flatMap(({ property, constraints = {} }) => {
    const given = known[property] === undefined ? `${property} is not set` : `${property}=${String(known[property])}`;
    return Object.values(constraints).map((text) => `${given}: ${text}`);
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(config);
}
