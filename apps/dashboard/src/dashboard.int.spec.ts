import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '@tinkerbell/config';
import { DashboardConfig } from './dashboard.config';
import { startDashboard, type RunningDashboard } from './start-dashboard';
import { graphIds, probed, tellEveryState } from './graph-story.testing';
import {
  machine,
  openStory,
  order,
  refuse,
  register,
  start,
  tellInOrder,
  tellRack,
  tellStrangers,
  workflowIds,
  type Story,
} from './story.testing';

/** Debian's browser, driven as a person would. DASHBOARD_SCREENSHOTS=<folder> keeps pictures of what it shows. */
const executablePath = '/usr/bin/chromium';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const pictures = process.env['DASHBOARD_SCREENSHOTS'];

describe.skipIf(!existsSync(executablePath))('the dashboard in a browser', () => {
  let folder: string;
  let browser: Browser;
  const running: RunningDashboard[] = [];
  const stories: Story[] = [];

  const serve = async (story: Story, more: Readonly<Record<string, string>> = {}) => {
    const env = { DASHBOARD_HTTP_PORT: '0', DASHBOARD_WEB_ROOT: folder, DASHBOARD_HEARTBEAT_MS: '500', ...more };
    const dashboard = await startDashboard(loadConfig(DashboardConfig, env), story.ports);
    running.push(dashboard);
    return dashboard;
  };
  const story = async () => {
    const opened = await openStory();
    stories.push(opened);
    return opened;
  };
  const rack = async () => {
    const opened = await story();
    await tellRack(opened);
    return opened;
  };
  const look = async (url: string, options: BrowserContextOptions = {}) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 960 }, ...options });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    await page.goto(url);
    return { page, faults };
  };
  const picture = async (page: Page, name: string) => {
    if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled' });
  };
  /** Anything remembered here is lost by a reload. */
  const mark = (page: Page) => page.evaluate(() => void Object.assign(globalThis, { marked: true }));
  const isMarked = (page: Page) => page.evaluate(() => 'marked' in globalThis);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tinkerbell-dashboard-'));
    await build({
      root: resolve('apps/dashboard/web'),
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true },
    });
    browser = await chromium.launch({ executablePath, args });
  });
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
  afterAll(async () => {
    await browser?.close();
    await Promise.all(running.map((each) => each.close().catch(() => undefined)));
    await Promise.all(stories.map((each) => each.close()));
    await rm(folder, { recursive: true, force: true });
  });

  it('says what to do when there is nothing, and shows the first machine without a reload', async () => {
    const site = await story();
    const { page, faults } = await look((await serve(site)).url);
    await page.getByRole('heading', { name: 'No machines yet' }).waitFor();
    await page.getByText('tink hardware push --file machine.json').waitFor();
    await page.getByText("tink workflow create --template install --hardware '{").waitFor();
    await picture(page, 'empty');
    await mark(page);
    await register(site, machine(1));
    await page.getByRole('button', { name: /rack7-node01/ }).waitFor();
    await page.getByText('hardware registered by admin: rack7-node01').waitFor();
    await order(site, workflowIds.running, machine(1));
    await page.getByRole('button', { name: /^ubuntu-24.04.*Pending/s }).waitFor();
    expect(await isMarked(page)).toBe(true);
    expect(faults).toEqual([]);
  });

  it('shows each machine at its step and each action with its state', async () => {
    const { page, faults } = await look((await serve(await rack())).url);
    const steps = (host: string) =>
      page.getByRole('listitem').filter({ has: page.getByRole('button', { name: new RegExp(`^${host}`) }) });
    await steps('rack7-node01').locator('[data-step=disk][data-progress=done]').waitFor();
    await steps('rack7-node02').locator('[data-step=worker][aria-current=step]').waitFor();
    await steps('rack7-node05').locator('[data-step=http][aria-current=step]').waitFor();
    expect(await steps('rack7-node04').locator('[data-progress=ahead]').count()).toBe(6);
    // The running workflow is open by itself, at the action that runs.
    const action = page.getByRole('button', { name: /^write-image.*Running/s });
    await action.waitFor();
    const seconds = () => action.getByText(/^\d+ (s|m \d\d s)$/).textContent();
    const before = await seconds();
    await expect.poll(seconds).not.toBe(before);
    await picture(page, 'light');
    await page.getByRole('button', { name: /^ubuntu-24.04.*Failed/s }).click();
    await page.getByText('exit code 1: checksum mismatch: expected 9f2c41').waitFor();
    await page.getByRole('button', { name: /^rack7-node03/ }).click();
    await page.getByText('worker 0.1.0 is ready').waitFor();
    await picture(page, 'failed');
    expect(faults).toEqual([]);
  });

  it('shows how full pools are, and machines without a record with what they were not served, as it changes', async () => {
    const site = await story();
    await tellInOrder(site, tellRack, tellStrangers);
    const { page, faults } = await look((await serve(site)).url, { viewport: { width: 1440, height: 1800 } });
    const pools = page.getByRole('region', { name: 'Address pools' });
    await pools.getByText('8 leased, 1 of 10 free, 1 quarantined').waitFor();
    await pools.getByText('90 % in use').waitFor();
    expect(await pools.getByRole('meter', { name: 'rack, in use' }).getAttribute('aria-valuenow')).toBe('0');
    expect(await pools.getByText('served by 10.7.0.2').count()).toBe(2);
    const unknown = page.getByRole('region', { name: 'Unknown machines' });
    const refused = unknown.getByRole('listitem').filter({ hasText: '52:54:00:bb:00:01' });
    await refused.getByText('Not served: DHCP: no hardware record has this MAC').waitFor();
    await unknown.getByRole('listitem').filter({ hasText: 'lobby-kiosk' }).getByText('10.7.0.50').waitFor();
    await picture(page, 'addresses');
    await mark(page);
    await refuse(site, '52-54-00-bb-00-01', 0);
    await refused.getByText('Not served 2 times: DHCP').waitFor();
    const released = { mac: '52-54-00-aa-00-00', hardwareId: null, clientId: null, ip: '10.7.0.50', subnet: 'lab' };
    await site.append('lease', 'default', { type: 'LeaseReleased', v: 2, data: { ...released, origin: 'pool' } });
    await pools.getByText('7 leased, 2 of 10 free, 1 quarantined').waitFor();
    expect(await unknown.getByText('lobby-kiosk').count()).toBe(0);
    expect(await isMarked(page)).toBe(true);
    expect(faults).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('shows a graph with an action in every state, %s', async (colorScheme) => {
    const site = await story();
    await tellInOrder(site, tellRack, tellEveryState);
    const { page, faults } = await look((await serve(site)).url, {
      colorScheme,
      viewport: { width: 1440, height: 1480 },
    });
    const asking = page.getByRole('button', { name: /^storage-node.*Needs you/s });
    await asking.waitFor();
    expect(await asking.getAttribute('aria-expanded')).toBe('true');
    const notes = page.getByRole('list', { name: 'Notes' });
    await notes.getByText('wipe awaits approval').waitFor();
    await notes.getByText(`tink workflow approve ${graphIds.graph} wipe`).waitFor();
    await notes.getByText(`tink workflow resolve ${graphIds.graph} update --as restart`).waitFor();
    await notes.getByText('1 report of its workers was refused').waitFor();
    const actions = page.getByRole('list', { name: 'Actions' });
    for (const line of [
      /^inspect.*Succeeded/s,
      /^wipeerases data.*Wipe all disks of rack7-node06\?.*Awaiting approval/s,
      /^write-image.*Pending/s,
      /^update.*after inspect.*Unknown outcome/s,
      /^bondtry 2 of 4.*Running/s,
      /^mirrortry 1 of 4.*right away.*exit code 75: the mirror is busy \(next try at .*Pending/s,
      /^pull.*exit code 1: denied.*Failed/s,
      /^seed.*Will not run/s,
      /^fallback.*if pull fails.*Running/s,
      /^scan.*stopped after 60 s.*Timed out/s,
      /^burn-in.*burnt in last week.*Skipped/s,
      /^report.*after write-image, bond, seed, in any case, only if actions.*Pending/s,
    ]) {
      await actions.getByRole('button', { name: line }).waitFor();
    }
    await page.getByText('3 of 13 actions, 2 at once').waitFor();
    const outputs = page.getByLabel('Outputs of probe');
    expect(await outputs.count()).toBe(0);
    await actions.getByRole('button', { name: /^probe/ }).click();
    await outputs.waitFor();
    expect(await outputs.getByRole('term').allTextContents()).toEqual(Object.keys(probed));
    expect(await outputs.getByRole('definition').allTextContents()).toEqual([
      '2',
      'eth0',
      JSON.stringify(probed.macs),
      JSON.stringify(probed.switch),
    ]);
    await page.evaluate('scrollTo(0, 0)');
    await picture(page, `graph-${colorScheme}`);
    await page.getByRole('button', { name: /^storage-node.*Cancelling/s }).click();
    await notes.getByText('cancelling: its worker is told to stop wipe').waitFor();
    await page.getByRole('button', { name: /^storage-node.*77777777/s }).click();
    await notes.getByText(`waiting for workflow ${graphIds.cancelling} on this machine, position 2`).waitFor();
    await notes.getByText('late: its worker is silent').waitFor();
    await picture(page, `queue-${colorScheme}`);
    const filters = page.getByRole('group', { name: 'Show workflows' });
    await filters.getByRole('button', { name: /^Paused/ }).click();
    await page.getByRole('button', { name: /^storage-node.*Paused/s }).click();
    await notes.getByText(`tink workflow resume ${graphIds.paused}`).waitFor();
    await filters.getByRole('button', { name: /^Cancelled/ }).click();
    await page.getByRole('button', { name: /^storage-node.*Cancelled/s }).click();
    await actions.getByRole('button', { name: /^wipe.*stopped after SIGTERM.*Cancelled/s }).waitFor();
    expect(faults).toEqual([]);
  });

  it('streams output, follows it, and stops following when it is read', async () => {
    const site = await rack();
    const { page } = await look((await serve(site)).url);
    const log = page.getByRole('log');
    const line = (text: string, stream: 'stdout' | 'stderr' = 'stdout') =>
      site.logs.write(workflowIds.running, 1, { at: new Date().toISOString(), stream, attempt: 1, line: text });
    await log.getByText('progress: 56% (1176 MB of 2.1 GB, 94 MB/s)').waitFor();
    await log.locator('[data-stream=stderr]').getByText('WARN connection reset by peer').waitFor();
    expect(await log.textContent()).not.toContain('\x1b');
    for (let n = 0; n < 80; n++) line(`\x1b[1mline ${n}\x1b[0m`);
    await log.getByText('line 79', { exact: true }).waitFor();
    const toEnd = () => log.evaluate((e) => Math.round(e.scrollHeight - e.scrollTop - e.clientHeight));
    await expect.poll(toEnd).toBeLessThan(24);
    await log.hover();
    await page.mouse.wheel(0, -600);
    await page.getByRole('button', { name: 'Latest output' }).waitFor();
    const top = () => log.evaluate((e) => Math.round(e.scrollTop));
    const reading = await top();
    line('and another');
    await log.getByText('and another').waitFor();
    expect(Math.abs((await top()) - reading)).toBeLessThan(3);
    await page.getByRole('button', { name: 'Latest output' }).click();
    await expect.poll(toEnd).toBeLessThan(24);
  });

  it('says when the connection is lost, keeps what it shows, and goes on by itself', async () => {
    const site = await rack();
    const first = await serve(site);
    const { page } = await look(first.url);
    await page.getByText('Live', { exact: true }).waitFor();
    await mark(page);
    const failed = page.getByRole('button', { name: /^ubuntu-24.04.*Failed/s });
    await failed.click();
    await first.close();
    await page.getByRole('alert').getByText('Connection lost.').waitFor();
    await page.getByRole('button', { name: /^rack7-node01/ }).waitFor();
    await picture(page, 'lost');
    await register(site, machine(6));
    await serve(site, { DASHBOARD_HTTP_PORT: String(first.port) });
    await page.getByRole('button', { name: /^rack7-node06/ }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(await failed.getAttribute('aria-expanded')).toBe('true');
    expect(await isMarked(page)).toBe(true);
    // The output goes on as well.
    await page.getByRole('button', { name: /^ubuntu-24.04.*Running/s }).click();
    await page.getByRole('log').getByText('progress: 56%').waitFor();
  });

  it('follows the system into the dark, and remembers what was chosen', async () => {
    const dashboard = await serve(await rack());
    const { page } = await look(dashboard.url, { colorScheme: 'dark' });
    const scheme = () => page.locator('html').getAttribute('data-mantine-color-scheme');
    // Text, not a function: the page's own world has names that this one has not.
    const luminance = async () => {
      const colour = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      const [red = 255, green = 255, blue = 255] = (colour.match(/[\d.]+/g) ?? []).map(Number);
      return (red + green + blue) / 3;
    };
    await page.getByRole('button', { name: /^rack7-node01/ }).waitFor();
    expect([await scheme(), (await luminance()) < 60]).toEqual(['dark', true]);
    await picture(page, 'dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(scheme).toBe('light');
    await page.getByRole('button', { name: 'Switch to dark mode' }).click();
    await expect.poll(scheme).toBe('dark');
    await page.reload();
    await page.getByRole('button', { name: 'Switch to light mode' }).waitFor();
    expect([await scheme(), (await luminance()) < 60]).toEqual(['dark', true]);
  });

  it('searches, filters and works from the keyboard', async () => {
    const { page } = await look((await serve(await rack())).url);
    const hosts = page.getByRole('button', { name: /^rack7-node\d\d/ });
    await expect.poll(() => hosts.count()).toBe(5);
    await page.keyboard.press('/');
    await page.keyboard.type('52:54:00:99:00:03');
    await expect.poll(() => hosts.count()).toBe(1);
    await page.keyboard.press('Escape');
    await expect.poll(() => hosts.count()).toBe(5);
    await page
      .getByRole('group', { name: 'Show machines' })
      .getByRole('button', { name: /Own disk/ })
      .press('Enter');
    await expect.poll(() => hosts.count()).toBe(1);
    await hosts.first().focus();
    await page.keyboard.press('Enter');
    await page.getByText('Since power-on').waitFor();
    expect(await hosts.first().getAttribute('aria-expanded')).toBe('true');
  });

  it('keeps what belongs together on one line of a small screen', async () => {
    const site = await story();
    await tellInOrder(site, tellRack, tellStrangers);
    const { page } = await look((await serve(site)).url, { viewport: { width: 1280, height: 800 } });
    const heightOf = async (text: string) => (await page.getByText(text).first().boundingBox())?.height;
    const lines = ['8 leased, 1 of 10 free, 1 quarantined', '0 leased, 256 of 256 free'];
    await page.getByText(lines[0] ?? '').waitFor();
    expect(new Set(await Promise.all(lines.map(heightOf))).size).toBe(1);
    const jumps = await page.getByRole('button', { name: /^Workflow .*, show it$/ }).all();
    const heights = await Promise.all(jumps.map(async (jump) => (await jump.boundingBox())?.height));
    expect([heights.length, new Set(heights).size]).toEqual([4, 1]);
    // Output stands in the order of its times.
    const output = await page.getByRole('log').innerText();
    const seconds = [...output.matchAll(/(\d\d):(\d\d):(\d\d)/g)].map(
      ([, h, m, s]) => Number(h) * 3600 + Number(m) * 60 + Number(s),
    );
    expect(seconds).toHaveLength(16);
    // Across midnight too.
    const halfDay = 43_200;
    const backwards = seconds.filter((at, i) => (at - (seconds[i - 1] ?? at) + 2 * halfDay) % (2 * halfDay) > halfDay);
    expect(backwards).toEqual([]);
  });

  it('fits a phone, a graph too', async () => {
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
    const { page } = await look((await serve(await rack())).url, phone);
    await page.getByRole('button', { name: /^rack7-node01/ }).waitFor();
    const overflow = (of: Page) => of.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    /** What does not fit into its bar is not seen on a phone. */
    const cutOff = async (of: Page, label: string) => {
      await of.getByRole('group', { name: label }).waitFor();
      const bar = `document.querySelector('[aria-label="${label}"]')`;
      return of.evaluate<number>(`${bar}.scrollWidth - ${bar}.clientWidth`);
    };
    const openWorkflows = (of: Page) =>
      of
        .getByText(/^Workflows/)
        .first()
        .click();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await cutOff(page, 'Show machines')).toBe(0);
    await picture(page, 'phone-machines');
    await openWorkflows(page);
    await page.getByRole('log').getByText('progress: 56%').waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await picture(page, 'phone-workflows');
    const site = await story();
    await tellEveryState(site);
    const { page: other } = await look((await serve(site)).url, phone);
    await openWorkflows(other);
    await other.getByText(`tink workflow approve ${graphIds.graph} wipe`).waitFor();
    expect(await overflow(other)).toBeLessThanOrEqual(0);
    expect(await cutOff(other, 'Show workflows')).toBe(0);
    if (pictures) await other.screenshot({ path: join(pictures, 'phone-graph.png'), fullPage: true });
  });

  it('asks for a password when there is one', async () => {
    const { url } = await serve(await story(), {
      DASHBOARD_USERNAME: 'ada',
      DASHBOARD_PASSWORD: 'x',
      DASHBOARD_HTTP_ADDRESS: '127.0.0.1',
    });
    expect((await fetch(`${url}api/state`)).status).toBe(401);
    expect((await fetch(`${url}healthz`)).status).toBe(200);
    const { page } = await look(url, { httpCredentials: { username: 'ada', password: 'x' } });
    await page.getByRole('heading', { name: 'No machines yet' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
  });

  it('answers an unknown action with 404 and sends a new action on its way', async () => {
    const site = await rack();
    const { url } = await serve(site);
    expect((await fetch(`${url}api/workflows/${workflowIds.running}/actions/9/output`)).status).toBe(404);
    expect((await fetch(`${url}api/workflows/nope/actions/0/output`)).status).toBe(404);
    const { page } = await look(url);
    const pending = page.getByRole('button', { name: /^debian-12/ });
    await pending.getByText('Pending').waitFor();
    await start(site, workflowIds.pending, machine(4).id, { index: 0, secondsAgo: 0 });
    await pending.getByText('Running').waitFor();
  });
});
