// A reminder that is due shows in every tab, and what is read in one is read in all.
import type { BrowserContext } from '@playwright/test';
import { expect, live, make, type Page, register, somebody, tab, test } from './fixtures';

const bell = (page: Page, name: string) => page.getByRole('banner').getByRole('link', { name, exact: true });
const now = () => new Date().toISOString();
/** Reminders are looked for every 15 seconds. */
const soon = { timeout: 30_000 };

/** What the browser is asked to show, in all tabs: it shows nothing itself without a desktop. */
async function shown(context: BrowserContext): Promise<{ title: string; data: string }[]> {
  const list: { title: string; data: string }[] = [];
  await context.exposeFunction('shows', (title: string, data: string) => void list.push({ title, data }));
  await context.addInitScript(() => {
    // An empty tab has none.
    if (!('ServiceWorkerRegistration' in window)) return;
    ServiceWorkerRegistration.prototype.showNotification = async function (title, options) {
      await (window as unknown as { shows: (title: string, data: string) => Promise<void> }).shows(title, options!.data);
    };
  });
  return list;
}

test('a reminder rings in two tabs, and reading it clears both bells', async ({ person, context, baseURL }) => {
  const one = await tab(context);
  const two = await tab(context, '/today');
  for (const page of [one, two]) await expect(bell(page, 'Notifications')).toBeVisible();
  const task = await make(context.request, baseURL!, { title: 'Call mom', remind_at: now() });
  for (const page of [one, two]) {
    await expect(bell(page, 'Notifications, 1 unread')).toBeVisible(soon);
    await expect(bell(page, 'Notifications, 1 unread').locator('b')).toHaveText('1');
  }
  // Both are looked at, to the browser of these tests.
  const toast = (page: Page) => page.locator('.told').getByRole('link', { name: 'Call mom' });
  for (const page of [one, two]) await expect(toast(page)).toHaveAttribute('href', `/tasks/${task.id}`);
  await one.locator('.told').getByRole('button', { name: 'Close' }).click();
  await expect(toast(one)).toBeHidden();
  await bell(one, 'Notifications, 1 unread').click();
  await expect(one).toHaveURL(/\/notifications$/);
  await expect(one.getByText('One is unread.')).toBeVisible();
  const note = one.getByRole('link', { name: 'Call mom', exact: true });
  await expect(note).toHaveAttribute('href', `/tasks/${task.id}`);
  await one.getByRole('button', { name: 'Mark as read: Call mom' }).click();
  await expect(one.getByText('All are read.')).toBeVisible();
  for (const page of [one, two]) {
    await expect(bell(page, 'Notifications')).toBeVisible();
    await expect(bell(page, 'Notifications').locator('b')).toBeHidden();
    await expect(toast(page)).toBeHidden();
  }
  await note.click();
  await expect(one).toHaveURL(`/tasks/${task.id}`);
});

test('the browser shows a reminder once, however many tabs are open, if one let it', async ({ person, context, baseURL }) => {
  const list = await shown(context);
  await context.grantPermissions(['notifications'], { origin: baseURL });
  await tab(context);
  const two = await tab(context);
  const seen = () => two.evaluate(() => localStorage.getItem('tidings.seen'));
  // There is nothing yet, and a tab has taken note of that.
  await expect.poll(seen).toBe('');
  const task = await make(context.request, baseURL!, { title: 'Call mom', remind_at: now() });
  await expect.poll(() => list, soon).toEqual([{ title: 'Call mom', data: `/tasks/${task.id}` }]);
  // A tab that comes later has nothing to add: by the time it is live it has asked for the lock.
  const three = await tab(context);
  await expect(bell(three, 'Notifications, 1 unread')).toBeVisible();
  await three.evaluate(() => navigator.locks.request('tidings.seen', () => {}));
  expect(list).toHaveLength(1);
  // Nor is shown what the person does not want from the browser.
  const quiet = { reminder: { app: true, browser: false, mail: false } };
  expect((await context.request.put(`${baseURL}/api/me/notifications`, { data: quiet })).status()).toBe(200);
  const before = await seen();
  await make(context.request, baseURL!, { title: 'In the app alone', remind_at: now() });
  await expect(bell(two, 'Notifications, 2 unread')).toBeVisible(soon);
  await expect.poll(seen).not.toBe(before);
  await two.evaluate(() => navigator.locks.request('tidings.seen', () => {}));
  expect(list).toHaveLength(1);
});

test('Account asks for permission by a button alone', async ({ person, context, baseURL }) => {
  await context.addInitScript(() => {
    let permission = 'default';
    Object.defineProperty(Notification, 'permission', { get: () => permission });
    Notification.requestPermission = async () => (permission = 'granted');
  });
  const page = await tab(context, '/account');
  const button = page.getByRole('button', { name: 'Allow notifications in this browser' });
  await expect(button).toBeVisible();
  // The page is no wider than a narrow telephone for it.
  await page.setViewportSize({ width: 320, height: 640 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  await button.click();
  await expect(button).toBeHidden();
  await expect(page.getByText('This browser shows what you ticked.')).toBeVisible();
});

test('what is pushed shows once, and the browser is told of who is signed in alone', async ({ person, context, baseURL }) => {
  const list = await shown(context);
  await context.grantPermissions(['notifications'], { origin: baseURL });
  // Debian's browser has no push service. The keys are those of RFC 8291.
  await context.addInitScript(() => {
    if (!('PushManager' in window)) return;
    const keys = {
      p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    };
    const kept = () => {
      const options = JSON.parse(localStorage.getItem('test.options') ?? 'null');
      return options && {
        options: { applicationServerKey: new Uint8Array(options).buffer },
        toJSON: () => ({ endpoint: 'https://push.example/1', expirationTime: null, keys }),
        unsubscribe: async () => localStorage.removeItem('test.options'),
      };
    };
    PushManager.prototype.getSubscription = async () => kept();
    PushManager.prototype.subscribe = async options => {
      localStorage.setItem('test.options', JSON.stringify([...(options!.applicationServerKey as Uint8Array)]));
      return kept();
    };
  });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  const registration = new Promise<string>(found => cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    for (const { scopeURL, registrationId } of registrations) if (scopeURL === `${baseURL}/`) found(registrationId);
  }));
  await cdp.send('ServiceWorker.enable');
  const [told] = await Promise.all([
    page.waitForResponse(`${baseURL}/api/push/subscriptions`),
    page.goto('/inbox'),
  ]);
  expect(told.status()).toBe(204);
  const registrationId = await registration;
  const worker = context.serviceWorkers().find(worker => worker.url() === `${baseURL}/sw.js`)!;
  // It shows nothing itself without a desktop.
  await worker.evaluate(() => {
    const shown: { tag?: string }[] = [];
    Object.assign(self, { shown });
    const all = ServiceWorkerRegistration.prototype;
    all.showNotification = async (title, options) => void shown.push({ title, ...options });
    all.getNotifications = async options => shown.filter(({ tag }) => tag === options!.tag) as Notification[];
  });
  const pushed = () => worker.evaluate(() => (self as unknown as { shown: unknown[] }).shown);
  const push = (id: string) => cdp.send('ServiceWorker.deliverPushMessage', {
    origin: baseURL!, registrationId, data: JSON.stringify({ id, title: 'Call mom', body: 'Due today.', path: '/tasks/1' }),
  });
  const seen = () => page.evaluate(() => localStorage.getItem('tidings.seen'));
  await expect.poll(seen).toBe('');
  // With a tab that is looked at, too, but without a sound where it was shown before.
  await push('seen');
  await expect.poll(pushed).toHaveLength(1);
  await push('seen');
  await expect.poll(pushed).toHaveLength(2);
  await page.goto('about:blank');
  await push('news');
  const shows = (tag: string, silent: boolean) => ({ title: 'Call mom', body: 'Due today.', data: '/tasks/1', tag, silent });
  await expect.poll(pushed).toEqual([shows('seen', false), shows('seen', true), shows('news', false)]);
  // A tab that comes later does not show again what was pushed, and then shows what is new.
  const tell = { task_created: { app: true, browser: true, mail: false } };
  expect((await context.request.put(`${baseURL}/api/me/notifications`, { data: tell })).status()).toBe(200);
  await make(context.request, baseURL!, { title: 'While nobody looked' });
  const count = async () => (await (await context.request.get(`${baseURL}/api/notifications`)).json()).items.length;
  await expect.poll(count).toBe(1);
  await page.goto('/inbox');
  await expect.poll(seen).not.toBe('');
  await page.evaluate(() => navigator.locks.request('tidings.seen', () => {}));
  expect(list).toEqual([]);
  const task = await make(context.request, baseURL!, { title: 'While somebody looked' });
  await expect.poll(() => list).toEqual([{ title: 'While somebody looked', data: `/tasks/${task.id}` }]);
  // Nothing more is told the same person so soon; somebody else is told here at once.
  let tellings = 0;
  page.on('request', request => void (tellings += Number(request.url() === `${baseURL}/api/push/subscriptions`)));
  await page.goto('/today');
  await live(page);
  expect(tellings).toBe(0);
  await register(context, somebody('Somebody Else'), baseURL!);
  await page.goto('/today');
  await expect.poll(() => tellings).toBe(1);
  await expect.poll(seen).toBe('');
  const here = () => page.evaluate(() => ({ ...localStorage }));
  await page.goto('/account');
  expect(Object.keys(await here())).toContain('test.options');
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await expect.poll(here).not.toHaveProperty('test.options');
  expect(await here()).not.toHaveProperty('tidings.push');
});
