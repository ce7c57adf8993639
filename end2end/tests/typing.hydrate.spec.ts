// What one types stays, whatever comes in meanwhile.
import { add, expect, live, make, row, test } from './fixtures';

test('a search with spaces, typed with a pause', async ({ page, person, context, baseURL }) => {
  await make(context.request, baseURL!, { title: 'Milk and eggs' });
  await page.goto('/search');
  await live(page);
  const box = page.getByRole('searchbox', { name: 'Search tasks' }).filter({ visible: true }).first();
  await box.pressSequentially('milk ');
  await expect(page).toHaveURL(/q=milk/);
  await box.pressSequentially('eggs');
  await expect(box).toHaveValue('milk eggs');
  await expect(row(page, 'Milk and eggs')).toBeVisible();
});

test('a title that is edited while the task changes elsewhere', async ({ page, person, context, baseURL }) => {
  const task = await make(context.request, baseURL!, { title: 'Water plants' });
  await page.goto('/inbox');
  await live(page);
  await row(page, 'Water plants').getByRole('link').first().focus();
  await page.keyboard.press('e');
  const field = page.getByRole('textbox', { name: 'Title' });
  await field.fill('Water the pl');
  await context.request.patch(`${baseURL}/api/tasks/${task.id}`, { data: { priority: 'high' } });
  await expect(page.locator('.chk.high')).toBeVisible();
  await expect(field).toHaveValue('Water the pl');
  await field.press('Enter');
  await expect(row(page, 'Water the pl')).toBeVisible();
});

test('a task that is typed before there is a script', async ({ page, person }) => {
  // The script comes when it is told to.
  let come = () => {};
  const told = new Promise<void>(done => (come = done));
  await page.route(/\.wasm/, async route => {
    await told;
    await route.continue();
  });
  await page.goto('/inbox', { waitUntil: 'commit' });
  const line = page.getByRole('textbox', { name: 'Add a task' });
  await line.fill('Typed early');
  come();
  await live(page);
  await expect(line).toHaveValue('Typed early');
  await line.press('Enter');
  await expect(row(page, 'Typed early')).toBeVisible();
  await add(page, 'And another');
});

test('a title that is too long is told of in a few lines, and stays to be made shorter', async ({ page, person }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/inbox');
  await live(page);
  const line = page.getByRole('textbox', { name: 'Add a task' });
  const title = 'long '.repeat(50);
  await line.fill(title);
  await line.press('Enter');
  const toast = page.locator('.toast').filter({ hasText: 'at most 200 characters' });
  await expect(toast).toBeVisible();
  expect((await toast.boundingBox())!.height).toBeLessThan(120);
  await expect(line).toHaveValue(title);
  await toast.getByRole('button', { name: 'Close' }).click();
  await expect(toast).toBeHidden();
});
