// Records a history: every event of a running tink-server's log, one JSON line each, as it lies there.
//   node test/histories/record.mjs http://127.0.0.1:42114 > test/histories/<name>.jsonl
//   UPDATE_FIXTURES=1 npx vitest run --project unit test/histories   # writes <name>.rows.json; fails once on purpose
// With a password set: TINK_AUTH_USERNAME, TINK_AUTH_PASSWORD. Of an authority that Node does not know: NODE_EXTRA_CA_CERTS=<its PEM>.
const [server] = process.argv.slice(2);
if (!server) {
  console.error('node test/histories/record.mjs <URL of tink-server> > test/histories/<name>.jsonl');
  process.exit(2);
}
const { TINK_AUTH_USERNAME: user, TINK_AUTH_PASSWORD: password } = process.env;
const headers = user ? { authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` } : {};
const answer = await fetch(new URL('/api/events', server), { headers });
if (!answer.ok || !answer.body) {
  console.error(`${server} answered ${answer.status}: ${await answer.text()}`);
  process.exit(1);
}
for await (const chunk of answer.body) process.stdout.write(chunk);
