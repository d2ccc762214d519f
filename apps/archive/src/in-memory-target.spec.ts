import { describeTarget } from './archive-target.contract';
import { InMemoryTarget } from './testing/in-memory-target';

describeTarget('the fake archive', async () => new InMemoryTarget());
