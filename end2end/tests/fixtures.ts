// What every spec shares: a server a worker, people, and an eye on the console.
import { test as base, expect, type APIRequestContext, type BrowserContext, type Locator, type Page } from '@playwright/test';
import { Server } from './server';

export { expect };
export type { Locator, Page };

export interface Person {
  name: string;
  email: string;
  password: string;
}

let count = 0;

/** Somebody nobody has seen before. */
export function somebody(name = 'Mira Koch'): Person {
  count += 1;
  return { name, email: `p${process.pid}-${Date.now()}-${count}@example.org`, password: 'a few plain words' };
}

interface Fixtures {
  /** An account that the page is signed in to. */
  person: Person;
  /** A server of this test alone, to be killed and started again. */
  ownServer: Server;
  /** Whether the spec brings about refusals or a lost network itself: the browser notes each in the console. */
  networkFaults: boolean;
  quiet: void;
}

export const test = base.extend<Fixtures, { server: Server }>({
  server: [async ({}, use) => {
    const server = await Server.make();
    await use(server);
    await server.remove();
  }, { scope: 'worker' }],

  baseURL: async ({ server }, use) => use(server.url),

  ownServer: async ({}, use) => {
    const server = await Server.make();
    await use(server);
    await server.remove();
  },

  person: async ({ context, baseURL }, use) => {
    const person = somebody();
    await register(context, person, baseURL!);
    await use(person);
  },

  networkFaults: [false, { option: true }],

  // Nothing may be wrong in any page's console, hydration least of all.
  quiet: [async ({ context, javaScriptEnabled, networkFaults }, use) => {
    const faults: string[] = [];
    const network = /Failed to load resource|WebSocket connection to|net::ERR_|Failed to fetch/;
    const note = (text: string) => {
      if (networkFaults && network.test(text)) return;
      // Without scripts nobody asks for what the page loads ahead for them.
      if (!javaScriptEnabled && text.includes('preload')) return;
      // Contexts are incognito, and there the browser says so to whoever subscribes to pushes.
      if (text.includes('the Push API in incognito mode')) return;
      faults.push(text);
    };
    context.on('console', message => {
      if (['error', 'warning'].includes(message.type())) note(`${message.type()}: ${message.text()}`);
    });
    context.on('weberror', fault => note(`uncaught: ${fault.error().message}`));
    await use();
    expect(faults, 'the console').toEqual([]);
  }, { auto: true }],
});

/** Makes the account and signs the context in, without a page. */
export async function register(context: BrowserContext, person: Person, url: string): Promise<void> {
  const answer = await context.request.post(`${url}/api/auth/register`, { data: { ...person, time_zone: 'Europe/Berlin' } });
  expect(answer.status(), await answer.text()).toBe(201);
}

/** Makes a task through the API, as the person the context is signed in as. */
export async function make(request: APIRequestContext, url: string, task: Record<string, unknown>): Promise<{ id: string }> {
  const answer = await request.post(`${url}/api/tasks`, { data: task });
  expect(answer.status(), await answer.text()).toBe(201);
  return answer.json();
}

/** The rows of the list, in order. */
export const rows = (page: Page): Locator => page.locator('#main .row');

/** The row of a task. */
export const row = (page: Page, title: string): Locator => rows(page).filter({ has: page.getByRole('link', { name: title, exact: true }) });

/** The titles that the list shows, in order. A row that the browser has not drawn yet has no inner text. */
export const titles = (page: Page): Promise<string[]> => rows(page).getByRole('link').allTextContents();

/** Adds what the line says, and waits until it is there. */
export async function add(page: Page, line: string, title = line): Promise<void> {
  await page.getByRole('textbox', { name: 'Add a task' }).fill(line);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(row(page, title)).toBeVisible();
}

/** The pill that says how the tab stands to the server. */
export const pill = (page: Page): Locator => page.locator('.pill');

/** Waits until scripts have taken over the page and the socket has caught up. */
export async function live(page: Page): Promise<void> {
  await expect(pill(page)).toHaveText(/^Live/);
}

/** Opens a page of the person in one more tab. */
export async function tab(context: BrowserContext, path = '/inbox'): Promise<Page> {
  const page = await context.newPage();
  await page.goto(path);
  await live(page);
  return page;
}
