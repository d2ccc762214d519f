import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '@tinkerbell/config';
import { readInvocation, UsageError } from './flags';
import { TinkWorkerConfig } from './worker.config';

const config = (args: readonly string[], env: Record<string, string> = {}) =>
  loadConfig(TinkWorkerConfig, readInvocation(args, env).settings);

describe('flags and environment', () => {
  it('takes the flags of the original worker', () => {
    const args = ['-i', 'w1', '--docker-registry', 'r:5000', '-u', 'me', '-p', 'secret', '--max-file-size', '100'];
    expect(config([...args, '--retry-interval=3', '--max-retry', '3', '--timeout', '60'])).toMatchObject({
      WORKER_ID: 'w1',
      DOCKER_REGISTRY: 'r:5000',
      REGISTRY_USERNAME: 'me',
      REGISTRY_PASSWORD: 'secret',
      MAX_FILE_SIZE: 100,
      RETRY_INTERVAL: 3,
    });
  });

  it('puts flags before variables and new names before old ones', () => {
    expect(config(['--id', 'flag'], { WORKER_ID: 'env' }).WORKER_ID).toBe('flag');
    expect(config([], { WORKER_ID: 'env', ID: 'old' }).WORKER_ID).toBe('env');
    expect(config([], { ID: 'old' }).WORKER_ID).toBe('old');
    expect(config(['-i', 'a', '--capture-action-logs']).CAPTURE_ACTION_LOGS).toBe('true');
    expect(config(['-i', 'a', '--capture-action-logs=false']).CAPTURE_ACTION_LOGS).toBe('false');
  });

  it('says how many actions may run at once', () => {
    expect(config(['-i', 'a']).TINK_WORKER_PARALLEL).toBe(4);
    expect(config(['-i', 'a'], { TINK_WORKER_PARALLEL: '2' }).TINK_WORKER_PARALLEL).toBe(2);
    expect(config(['-i', 'a', '--parallel', '1'], { TINK_WORKER_PARALLEL: '2' }).TINK_WORKER_PARALLEL).toBe(1);
    for (const bad of ['0', '65', 'many']) {
      expect(() => config(['-i', 'a', '--parallel', bad]), bad).toThrow(/TINK_WORKER_PARALLEL/);
    }
  });

  it('knows its defaults', () => {
    expect(config(['-i', 'a'])).toMatchObject({
      TINK_STATE_DIR: '/var/lib/tink-worker',
      TINK_WORKFLOW_DIR: '/worker',
      DOCKER_SOCKET: '/var/run/docker.sock',
      DOCKER_CERTS_DIR: '/etc/docker/certs.d',
      MAX_FILE_SIZE: 10485760,
    });
  });

  it.each([
    [{}, 'WORKER_ID'],
    [{ WORKER_ID: 'a.b' }, 'WORKER_ID'],
    [{ WORKER_ID: 'a', HW_ADDR: 'zz' }, 'HW_ADDR'],
    [{ WORKER_ID: 'a', TINK_SERVER_URL: 'ftp://x' }, 'TINK_SERVER_URL'],
    [{ WORKER_ID: 'a', TINK_CA_SHA256: 'abc' }, 'TINK_CA_SHA256'],
    [{ WORKER_ID: 'a', MAX_FILE_SIZE: '20000000' }, 'MAX_FILE_SIZE'],
    [{ WORKER_ID: 'a', DOCKER_REGISTRY: '../x' }, 'DOCKER_REGISTRY'],
    [{ WORKER_ID: 'a', CAPTURE_ACTION_LOGS: 'maybe' }, 'CAPTURE_ACTION_LOGS'],
  ])('refuses %j, naming %s', (env, name) => {
    expect(() => config([], env as Record<string, string>)).toThrow(ConfigError);
    expect(() => config([], env as Record<string, string>)).toThrow(name);
  });

  it('finds the socket in DOCKER_HOST unless DOCKER_SOCKET is set', () => {
    const env = { WORKER_ID: 'a', DOCKER_HOST: 'unix:///run/docker.sock' };
    expect(config([], env).DOCKER_SOCKET).toBe('/run/docker.sock');
    expect(config([], { ...env, DOCKER_SOCKET: '/mine' }).DOCKER_SOCKET).toBe('/mine');
    expect(() => config([], { ...env, DOCKER_HOST: 'tcp://1.2.3.4:2375' })).toThrow(UsageError);
  });

  it('accepts addresses of machines without a domain', () => {
    const env = { WORKER_ID: 'a', TINK_SERVER_URL: 'https://10.0.0.1:42124', TINK_CERT_URL: 'http://tink:42114/cert' };
    expect(config([], env)).toMatchObject(env);
  });

  it('refuses a flag that it does not know', () => expect(() => config(['--what'])).toThrow(UsageError));
});
