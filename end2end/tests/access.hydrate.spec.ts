// axe finds nothing on any page, in either theme, at either width (the phone project is the other).
import AxeBuilder from '@axe-core/playwright';
import { expect, live, make, type Page, test } from './fixtures';

// What is not there is a 404, which the console notes.
test.use({ networkFaults: true });

const clean = async (page: Page) => {
  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations.map(v => `${v.id}: ${v.nodes.map(n => n.target.join(' ')).join(', ')}`), page.url()).toEqual([]);
};

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, reducedMotion: 'reduce' } as object);

    test('without an account', async ({ page }) => {
      for (const path of ['/sign-in', '/sign-up', '/nowhere']) {
        await page.goto(path);
        await clean(page);
      }
    });

    test('with tasks', async ({ page, person, context, baseURL }) => {
      const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
      const add = (task: Record<string, unknown>) => make(context.request, baseURL!, task);
      const task = await add({ title: 'Buy groceries', description: 'Milk, eggs', priority: 'high', tags: ['home', 'errands'], due_date: day(0), due_time: '18:30', recurrence: 'weekly' });
      await add({ title: 'Send the contract', priority: 'urgent', due_date: day(-1) });
      await add({ title: 'Call mom', priority: 'low', due_date: day(2) });
      await add({ title: 'Done already', completed: true });
      const gone = await add({ title: 'Gone' });
      await context.request.delete(`${baseURL}/api/tasks/${gone.id}`);
      await context.request.patch(`${baseURL}/api/tasks/${task.id}`, { data: { title: 'Buy groceries and cook' } });
      // The list of notifications is to hold one.
      const kinds = { task_created: { app: true, browser: false, mail: false } };
      await context.request.put(`${baseURL}/api/me/notifications`, { data: kinds });
      await add({ title: 'Told of' });
      await expect.poll(async () => (await (await context.request.get(`${baseURL}/api/notifications`)).json()).items.length).not.toBe(0);
      for (const path of ['/inbox', '/today', '/upcoming', '/completed', '/tags/home', '/search', '/search?q=buy', '/trash', '/activity', '/notifications', '/statistics', '/account', `/tasks/${task.id}`]) {
        await page.goto(path);
        await live(page);
        await clean(page);
      }
    });

    test('with nothing', async ({ page, person }) => {
      for (const path of ['/inbox', '/today', '/upcoming', '/completed', '/search?q=nothing', '/trash', '/activity', '/notifications', '/statistics']) {
        await page.goto(path);
        await live(page);
        await clean(page);
      }
    });
  });
}
