// Preloaded into a tink-server: SIGUSR2 sets its clock by as many milliseconds as the file says. What measures time without a clock
// (timers, performance.now) is not touched, as with a clock that somebody sets.
const { readFileSync } = require('node:fs');

const RealDate = Date;
let offset = 0;
const now = () => RealDate.now() + offset;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [now()] : args, self),
  apply: () => new RealDate(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});

process.on('SIGUSR2', () => {
  offset = Number(readFileSync(process.env.CHAOS_CLOCK_FILE ?? '', 'utf8'));
});
