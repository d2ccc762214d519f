import { define, exit } from '../cli-command';
import { documentFlag, printDocument } from '../output/print';
import { relative } from '../output/time';
import { checkUuids } from './ids';

export const workerToken = define({
  name: 'worker token',
  summary: 'issue a one-time token that a worker enrols with',
  details: 'For a worker that did not come from a network boot. Standard output holds the token and nothing else.',
  examples: ['tink worker token 0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94'],
  positionals: { usage: '<hardware-id>', min: 1, max: 1, complete: ['hardware'] },
  flags: { output: documentFlag },
  async run({ flags, positionals: [id = ''] }, context) {
    checkUuids([id]);
    const issued = await context.client.workerToken(id);
    if (flags.output === 'json' || flags.output === 'yaml') await printDocument(context, flags.output, issued);
    else {
      context.out(issued.token);
      context.err(`good for one use, runs out ${relative(issued.expiresAt, context.now())}`);
    }
    return exit.ok;
  },
});
