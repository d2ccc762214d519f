import { dhcp } from './dhcp.target';
import { responder } from './responder.target';
import { syslog } from './syslog.target';
import type { Target } from './target';
import { tftp } from './tftp.target';

export const targets: readonly Target[] = [dhcp, responder, syslog, tftp];
