// The pictures of the README: a day's tasks beside one that is open, in both themes.
import { live, make, row, test } from '../tests/fixtures';

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('Today', async ({ page, person, context, baseURL }) => {
      const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
      const add = (task: Record<string, unknown>) => make(context.request, baseURL!, task);
      await add({ title: 'Plan the summer', tags: ['home'], due_date: day(3) });
      await add({ title: 'Return the library books', tags: ['errands'], due_date: day(1) });
      await add({ title: 'Call mom', due_date: day(0), due_time: '20:00' });
      await add({ title: 'Review the deployment checklist', priority: 'medium', tags: ['work'], due_date: day(0) });
      const open = await add({ title: 'Buy groceries', description: 'Milk, eggs, bread, chicken', priority: 'medium', tags: ['home', 'errands'], due_date: day(0), due_time: '18:30', recurrence: 'weekly' });
      await add({ title: 'Send the signed contract back', priority: 'urgent', tags: ['work'], due_date: day(-1), due_time: '17:00' });
      await context.request.patch(`${baseURL}/api/tasks/${open.id}`, { data: { priority: 'high' } });
      await context.request.patch(`${baseURL}/api/tasks/${open.id}`, { data: { title: 'Buy groceries and cook dinner' } });
      await page.goto('/today');
      await live(page);
      await row(page, 'Buy groceries and cook dinner').getByRole('link').first().click();
      await page.getByText('History').first().waitFor();
      await page.screenshot({ path: `../docs/images/${colorScheme}.png` });
    });
  });
}
