// Imported before all loggers: Nest's decide about colours when they are made.
if (!process.stderr.isTTY || !process.stdout.isTTY) process.env.NO_COLOR ??= '1';
