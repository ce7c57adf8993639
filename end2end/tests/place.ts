// Two servers on one PostgreSQL, with Redis and a sidecar each: real processes, of this test alone.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './server';

const dapr = join(import.meta.dirname, '../../dapr');
const postgres = '/usr/lib/postgresql/15/bin';
const cache = process.env.TIDINGS_CACHE ?? join(homedir(), '.cache/tidings');
// PostgreSQL refuses to be run by root, and is then run by the user that its package made.
const asPostgres = process.getuid!() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];

async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await is().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`Not in time: ${what}`);
    await new Promise(next => setTimeout(next, 50));
  }
}

const listens = (port: number) => async (): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
};

/** A process whose output goes to a file of the place. */
class Process {
  private child?: ChildProcess;

  constructor(private readonly folder: string, private readonly name: string, private readonly command: string[],
    private readonly variables: Record<string, string> = {}) {}

  start(): void {
    const log = openSync(join(this.folder, `${this.name}.log`), 'a');
    const [program, ...rest] = this.command;
    this.child = spawn(program, rest, {
      cwd: this.folder, env: { ...process.env, ...this.variables }, stdio: ['ignore', log, log],
    });
    closeSync(log);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

/** A server with its sidecar. */
export class Replica {
  private constructor(readonly url: string, private readonly server: Process, private readonly sidecar: Process,
    private readonly api: string) {}

  static async make(folder: string, name: string, database: string, redis: number): Promise<Replica> {
    const [site, side, http, grpc, inside, metrics] = await Promise.all(Array.from({ length: 6 }, freePort));
    const server = new Process(folder, name, [process.env.TIDINGS_BIN!, 'serve'], {
      LEPTOS_SITE_ADDR: `127.0.0.1:${site}`, SIDECAR_ADDR: `127.0.0.1:${side}`, DATABASE_URL: database,
      DAPR_HOST: '127.0.0.1', DAPR_HTTP_PORT: String(http),
      // Only what is delivered can wake a tab.
      LIVE_POLL_SECONDS: '0', SAMPLE_TASKS: 'false', SIGN_UP_LIMIT_ADDRESS: 'off', SIGN_IN_LIMIT_ADDRESS: 'off',
    });
    const resources = ['', 'components/common', 'components/redis'].flatMap(part => ['--resources-path', join(dapr, part)]);
    const sidecar = new Process(folder, `${name}-daprd`, [join(cache, 'daprd'), '--mode', 'standalone', '--app-id', 'tidings',
      '--app-port', String(side), '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc),
      '--dapr-internal-grpc-port', String(inside), '--metrics-port', String(metrics),
      '--dapr-listen-addresses', '127.0.0.1', '--config', join(dapr, 'config.yaml'), ...resources,
      '--enable-app-health-check', '--app-health-check-path', '/healthz', '--app-health-probe-interval', '1',
    ], { DAPR_HOST_IP: '127.0.0.1', REDIS_ADDR: `127.0.0.1:${redis}` });
    return new Replica(`http://127.0.0.1:${site}`, server, sidecar, `http://127.0.0.1:${http}`);
  }

  /** Starts both, and waits until all is well. */
  async start(): Promise<void> {
    this.server.start();
    await this.startSidecar();
  }

  /** Starts the sidecar, and waits until it delivers. */
  async startSidecar(): Promise<void> {
    this.sidecar.start();
    await until('the sidecar is subscribed', async () => {
      const told = await (await fetch(`${this.api}/v1.0/metadata`)).json() as { subscriptions?: unknown[] };
      return (told.subscriptions?.length ?? 0) > 0 && await this.says('ok');
    });
  }

  /** kill -9, and waits until the server has noticed. */
  async killSidecar(): Promise<void> {
    await this.sidecar.end('SIGKILL');
    await until('the server has noticed', () => this.says('degraded'));
  }

  async remove(): Promise<void> {
    await this.server.end('SIGTERM');
    await this.sidecar.end('SIGKILL');
  }

  private async says(status: string): Promise<boolean> {
    const told = await (await fetch(`${this.url}/readyz`)).json() as { status: string };
    return told.status === status;
  }
}

/** Both, and what they share. */
export class Place {
  private constructor(private readonly folder: string, private readonly shared: Process[], readonly replicas: Replica[]) {}

  static async make(): Promise<Place> {
    if (!process.env.TIDINGS_BIN) throw new Error('TIDINGS_BIN is not set: run the tests with `make e2e`');
    if (!existsSync(join(cache, 'daprd'))) throw new Error('No sidecar: make daprd');
    const folder = mkdtempSync(join(tmpdir(), 'tidings-'));
    chmodSync(folder, 0o777);
    const [redis, database] = await Promise.all([freePort(), freePort()]);
    const place = new Place(folder, [
      new Process(folder, 'redis', ['redis-server', '--port', String(redis), '--bind', '127.0.0.1', '--save', '']),
      new Process(folder, 'postgres', [...asPostgres, join(postgres, 'postgres'), '-D', join(folder, 'data'),
        '-k', folder, '-p', String(database), '-c', 'listen_addresses=127.0.0.1']),
    ], []);
    try {
      await place.start(redis, database);
    } catch (fault) {
      await place.remove();
      throw fault;
    }
    return place;
  }

  private async start(redis: number, database: number): Promise<void> {
    const [init, ...rest] = [...asPostgres, join(postgres, 'initdb'), '-D', join(this.folder, 'data'), '-U', 'tidings', '-A', 'trust',
      '-E', 'UTF8', '--no-sync'];
    execFileSync(init, rest, { cwd: this.folder, stdio: 'ignore' });
    for (const one of this.shared) one.start();
    const tool = ['-h', '127.0.0.1', '-p', String(database), '-U', 'tidings'];
    await until('Redis listens', listens(redis));
    await until('PostgreSQL has a database', async () =>
      spawnSync(join(postgres, 'createdb'), [...tool, 'tidings'], { stdio: 'ignore' }).status === 0);
    const url = `postgres://tidings@127.0.0.1:${database}/tidings`;
    for (const name of ['one', 'two']) {
      const replica = await Replica.make(this.folder, name, url, redis);
      this.replicas.push(replica);
      await replica.start();
    }
  }

  async remove(): Promise<void> {
    for (const replica of this.replicas) await replica.remove();
    for (const one of this.shared) await one.end('SIGINT');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
