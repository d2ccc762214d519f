import { dhcp } from './dhcp.target';
import { dhcp6 } from './dhcp6.target';
import { responder } from './responder.target';
import { responder6 } from './responder6.target';
import { syslog } from './syslog.target';
import type { Target } from './target';
import { tftp } from './tftp.target';

export const targets: readonly Target[] = [dhcp, dhcp6, responder, responder6, syslog, tftp];
