import { dhcp } from './dhcp.target';
import type { Target } from './target';
import { tftp } from './tftp.target';

export const targets: readonly Target[] = [dhcp, tftp];
