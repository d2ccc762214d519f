import type { ReadModelItem } from '../api-types';
import { define, exit, type Context } from '../cli-command';
import { outputFlag, printListing, type Listing } from '../output/print';

export const readModelsList = define({
  name: 'read-models list',
  summary: "list tink-server's read models: how far they are, and what is being built anew",
  examples: ['tink read-models list', 'tink read-models list -o json'],
  flags: { output: outputFlag },
  async run({ flags }, context) {
    await printListing(context, flags.output, listing(await context.client.readModels()));
    return exit.ok;
  },
});

export const readModelsRebuild = define({
  name: 'read-models rebuild',
  summary: 'build read models anew from the log; the old rows answer and follow until the new ones have caught up',
  details: 'Without a name: all of them. `tink read-models list` shows how far they are.',
  examples: ['tink read-models rebuild', 'tink read-models rebuild workflow-list'],
  positionals: { usage: '[name ...]', min: 0, max: Number.POSITIVE_INFINITY },
  flags: { output: outputFlag },
  async run({ flags, positionals }, context: Context) {
    const items = await context.client.rebuildReadModels(positionals.length === 0 ? undefined : positionals);
    await printListing(context, flags.output, listing(items));
    return exit.ok;
  },
});

function listing(items: readonly ReadModelItem[]): Listing<ReadModelItem> {
  return {
    rows: items,
    columns: () => [
      { title: 'Name', text: ({ name }) => name },
      {
        title: 'Version',
        text: ({ version, served }) => (served === version ? `${version}` : `${served} of ${version}`),
      },
      { title: 'Position', text: ({ position }) => `${position}` },
      { title: 'Lag', text: ({ lag }) => (lag === null ? 'unknown' : `${lag}`) },
      { title: 'Rows', text: ({ rows }) => `${rows}` },
      { title: 'Building', text: ({ building, failure }) => (building ? `at ${building.position}` : (failure ?? '-')) },
    ],
    document: items,
  };
}
