import { runArchive } from '@tinkerbell/archive';

runArchive();
