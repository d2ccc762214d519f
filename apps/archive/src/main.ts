import { runArchive } from './run-archive';

runArchive();
