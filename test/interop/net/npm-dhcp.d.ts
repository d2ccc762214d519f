// The npm package dhcp 0.2.20 has no types: what of its client we use.
declare module 'dhcp' {
  import type { EventEmitter } from 'node:events';

  export interface ClientState {
    readonly state: string;
    readonly address: string;
    readonly server: string;
    readonly leasePeriod: number;
    readonly options: Readonly<Record<string, unknown>>;
  }
  export interface DhcpClient extends EventEmitter {
    listen(port?: number, host?: string, done?: () => void): void;
    sendDiscover(): void;
    close(done?: () => void): void;
  }
  export function createClient(options: { readonly mac: string; readonly features?: readonly string[] }): DhcpClient;
}
