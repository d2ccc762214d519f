import type { ModeRules } from './dhcp-mode';

/** Rules that may become others while they are in use: whoever has them looks again with each request. */
export class LiveRules implements ModeRules {
  constructor(private current: ModeRules) {}

  become(next: ModeRules): void {
    this.current = next;
  }

  get mode() {
    return this.current.mode;
  }

  get subnets() {
    return this.current.subnets;
  }

  get classes() {
    return this.current.classes ?? [];
  }

  get discovery() {
    return this.current.discovery ?? false;
  }
}
