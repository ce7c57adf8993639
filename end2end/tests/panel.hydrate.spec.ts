// The side panel: every field is edited where it stands, and any version comes back.
import { add, expect, live, make, row, tab, test } from './fixtures';

test('every field, its history, and an earlier version', async ({ person, context, baseURL }) => {
  const task = await make(context.request, baseURL!, { title: 'Buy groceries' });
  const page = await tab(context);
  const other = await tab(context);
  await row(page, 'Buy groceries').getByRole('link', { name: 'Buy groceries' }).click();
  const panel = page.locator('.task');

  await panel.getByRole('textbox', { name: 'Description' }).fill('Milk, eggs');
  await panel.getByRole('textbox', { name: 'Description' }).blur();
  await panel.getByText('Due', { exact: true }).click();
  await panel.getByRole('button', { name: 'Tomorrow' }).click();
  await panel.getByLabel('Due time').fill('18:30');
  await panel.getByLabel('Due time').press('Tab');
  await panel.getByText('Repeats', { exact: true }).click();
  await panel.getByRole('button', { name: 'Every week', exact: true }).click();
  await panel.getByText('Remind me', { exact: true }).click();
  await panel.getByRole('button', { name: '15 minutes before' }).click();
  await panel.getByText('Priority', { exact: true }).first().click();
  await panel.getByRole('radio', { name: 'High' }).check();
  await panel.getByText('Tags', { exact: true }).click();
  await panel.getByLabel('Tags, with commas between').fill('home, errands');
  await panel.getByLabel('Tags, with commas between').press('Enter');
  await panel.getByRole('textbox', { name: 'Title' }).fill('Buy groceries and cook');
  await panel.getByRole('textbox', { name: 'Title' }).press('Enter');

  // The other tab has all of it.
  const there = row(other, 'Buy groceries and cook');
  for (const words of ['Tomorrow', '18:30', 'home', 'errands']) await expect(there).toContainText(words);
  // And so has the server.
  const kept = await (await context.request.get(`${baseURL}/api/tasks/${task.id}`)).json();
  expect(kept).toMatchObject({
    title: 'Buy groceries and cook', description: 'Milk, eggs', due_time: '18:30', priority: 'high', tags: ['home', 'errands'],
    recurrence: { from: 'due' },
  });
  expect(kept.remind_at).not.toBeNull();

  const history = panel.getByRole('list').last();
  await expect(history.locator('del', { hasText: /^Buy groceries$/ })).toBeVisible();
  await expect(history.locator('ins', { hasText: 'Buy groceries and cook' })).toBeVisible();
  await history.getByRole('button', { name: 'Restore this version' }).last().click();
  await expect(panel.getByRole('textbox', { name: 'Title' })).toHaveValue('Buy groceries');
  await expect(row(other, 'Buy groceries')).toBeVisible();
  await expect(row(other, 'Buy groceries')).not.toContainText('Tomorrow');

  await panel.getByRole('link', { name: 'Close' }).click();
  await expect(page).toHaveURL(/\/inbox$/);
});

test('a change to the very field one is typing in is announced', async ({ person, context, baseURL }) => {
  const task = await make(context.request, baseURL!, { title: 'Call mom' });
  const page = await tab(context, `/tasks/${task.id}`);
  const title = page.getByRole('textbox', { name: 'Title' });
  await title.fill('Call mom and');
  await context.request.patch(`${baseURL}/api/tasks/${task.id}`, { data: { title: 'Call dad' } });
  await expect(page.getByText('Changed elsewhere to: Call dad')).toBeVisible();
  await expect(title).toHaveValue('Call mom and');
  await expect(title).toBeFocused();
  await page.getByRole('button', { name: 'Take that' }).click();
  await expect(title).toHaveValue('Call dad');
});

test('completing and deleting can be undone', async ({ person, context }) => {
  const page = await tab(context);
  await add(page, 'Call mom');
  await row(page, 'Call mom').getByRole('button', { name: 'Complete Call mom' }).click();
  await expect(row(page, 'Call mom')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await expect(row(page, 'Call mom')).toBeVisible();

  await row(page, 'Call mom').getByRole('link').first().click();
  await page.locator('.task').getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(row(page, 'Call mom')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await expect(row(page, 'Call mom')).toBeVisible();
  await page.reload();
  await live(page);
  await expect(row(page, 'Call mom')).toBeVisible();
});
