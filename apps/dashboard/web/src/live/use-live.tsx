import { createContext, useContext, useSyncExternalStore, type ReactNode } from 'react';
import { LiveStore, type LiveState } from './live-store';

const Context = createContext<LiveStore | undefined>(undefined);
const store = new LiveStore();

export function LiveProvider({ children }: { readonly children: ReactNode }) {
  return <Context.Provider value={store}>{children}</Context.Provider>;
}

export function useLive(): LiveState & { readonly retry: () => void } {
  const live = useContext(Context);
  if (!live) throw new Error('useLive outside LiveProvider');
  const state = useSyncExternalStore(live.subscribe, live.get);
  return { ...state, retry: live.retry };
}

const tickers = new Set<() => void>();
let second = Math.floor(Date.now() / 1000);
setInterval(() => {
  second = Math.floor(Date.now() / 1000);
  tickers.forEach((tick) => tick());
}, 1000);

/** The server's time in milliseconds, to the second; draws again every second. Stands still while nothing is heard from the server. */
export function useNow(): number {
  const { clockOffset, link } = useLive();
  const now = useSyncExternalStore(
    (tick) => {
      tickers.add(tick);
      return () => tickers.delete(tick);
    },
    () => second,
  );
  return (link.status === 'lost' ? Math.min(link.since, now * 1000) : now * 1000) + clockOffset;
}
