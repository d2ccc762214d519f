// Receives webhooks: WEBHOOK_SECRET=whsec_… PORT=8080 node webhook-receiver.mjs
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const key = Buffer.from(process.env.WEBHOOK_SECRET.replace('whsec_', ''), 'base64');
const seen = new Set(); // an event may come twice: its id tells

createServer(async (request, response) => {
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature = '' } = request.headers;
  const body = await text(request);
  const expected = Buffer.from(`v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`);
  const given = Buffer.from(signature);
  const genuine = given.length === expected.length && timingSafeEqual(given, expected);
  if (!genuine || Math.abs(Date.now() / 1000 - at) > 300) return response.writeHead(401).end();
  if (!seen.has(id)) console.log(request.headers['ce-type'], request.headers['ce-subject'], body);
  seen.add(id);
  response.writeHead(204).end();
}).listen(Number(process.env.PORT ?? 8080), '127.0.0.1');
