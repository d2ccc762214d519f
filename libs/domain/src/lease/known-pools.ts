import type { PoolDefined, PoolDropped, PoolUtilisationCrossed } from '@tinkerbell/events';
import { sameJson } from '../same-json';

export type DefinePool = { readonly type: 'DefinePool' } & PoolDefined['data'];

/** Every other pool is gone from the settings. */
export interface KeepPools {
  readonly type: 'KeepPools';
  readonly pools: readonly string[];
}

export interface CountPool {
  readonly type: 'CountPool';
  readonly subnet: string;
  readonly pool: string;
  readonly used: number;
  readonly size: number;
}

export interface KnownPools {
  /** Name → what it was defined as, and how full it was when that was told last. */
  readonly pools: ReadonlyMap<string, KnownPool>;
}

interface KnownPool {
  readonly defined: PoolDefined['data'] | undefined;
  readonly level: PoolUtilisationCrossed['data']['level'];
}

const levels = [100, 90, 80] as const;
/** A pool that goes up and down by one address is not told of each time. */
const hysteresis = 0.02;

export function definePool({ type: _, ...data }: DefinePool, { pools }: KnownPools): readonly PoolDefined[] {
  return sameJson(pools.get(data.pool)?.defined, data) ? [] : [{ type: 'PoolDefined', v: 1, data }];
}

export function keepPools({ pools: kept }: KeepPools, { pools }: KnownPools): readonly PoolDropped[] {
  return [...pools.values()].flatMap(({ defined }) =>
    defined === undefined || kept.includes(defined.pool)
      ? []
      : [{ type: 'PoolDropped', v: 1, data: { subnet: defined.subnet, pool: defined.pool } }],
  );
}

export function countPool(
  { subnet, pool, used, size }: CountPool,
  { pools }: KnownPools,
): readonly PoolUtilisationCrossed[] {
  const before = pools.get(pool)?.level ?? 0;
  const reached = (share: number) => levels.find((level) => size > 0 && share * 100 >= level) ?? 0;
  const up = reached(used / size);
  const level = up > before ? up : Math.min(before, reached(used / size + hysteresis));
  if (level === before) return [];
  const data = { subnet, pool, level: level as typeof before, before, used, size };
  return [{ type: 'PoolUtilisationCrossed', v: 1, data }];
}

export function withPool<S extends KnownPools>(state: S, name: string, over: Partial<KnownPool>): S {
  const before = state.pools.get(name) ?? { defined: undefined, level: 0 };
  return { ...state, pools: new Map(state.pools).set(name, { ...before, ...over }) };
}

export function withoutPool<S extends KnownPools>(state: S, name: string): S {
  return { ...state, pools: new Map([...state.pools].filter(([known]) => known !== name)) };
}
