// A server of a test's own: the real binary, an empty database, a free port.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { openSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

export class Server {
  private child?: ChildProcess;

  private constructor(private readonly folder: string, private readonly port: number) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async make(): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'tidings-'));
    const server = new Server(folder, await freePort());
    await server.start();
    return server;
  }

  /** Starts it, again after `kill` or `stop`, at the same address and with the same database. */
  async start(): Promise<void> {
    const binary = process.env.TIDINGS_BIN;
    if (!binary) throw new Error('TIDINGS_BIN is not set: run the tests with `make e2e`');
    const log = openSync(join(this.folder, 'log'), 'a');
    this.child = spawn(binary, ['serve'], {
      cwd: this.folder,
      env: {
        ...process.env,
        LEPTOS_SITE_ADDR: `127.0.0.1:${this.port}`,
        DATABASE_URL: `sqlite://${join(this.folder, 'tidings.db')}`,
        // All people of a run come from one address.
        SIDECAR_ADDR: '127.0.0.1:0',
        SIGN_UP_LIMIT_ADDRESS: 'off',
        SAMPLE_TASKS: 'false',
        SIGN_IN_LIMIT_ADDRESS: 'off',
      },
      stdio: ['ignore', log, log],
    });
    const deadline = Date.now() + 20_000;
    while (!(await this.answers())) {
      if (this.child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`The server does not start:\n${await this.log()}`);
      }
      await new Promise(next => setTimeout(next, 20));
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Asks it to stop, waits until it has, and removes its data. */
  async remove(): Promise<void> {
    await this.end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }

  async log(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const last = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(last);
  }

  private async answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/healthz`)).ok;
    } catch {
      return false;
    }
  }
}
