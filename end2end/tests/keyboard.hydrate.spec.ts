// Everything by keyboard.
import { add, expect, rows, row, tab, test } from './fixtures';

test('adding, moving, completing, undoing and going about', async ({ person, context }) => {
  const page = await tab(context);
  const line = page.getByRole('textbox', { name: 'Add a task' });
  await page.keyboard.press('q');
  await expect(line).toBeFocused();
  for (const title of ['Third', 'Second', 'First']) {
    await page.keyboard.type(title);
    await page.keyboard.press('Enter');
    await expect(row(page, title)).toBeVisible();
  }
  // Letters typed there are no shortcuts.
  await page.keyboard.type('jxz');
  await expect(line).toHaveValue('jxz');
  await line.fill('');
  await page.keyboard.press('Escape');

  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Space');
  await expect(row(page, 'Second')).toHaveCount(0);
  await page.keyboard.press('z');
  await expect(row(page, 'Second')).toBeVisible();

  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox', { name: 'Search tasks' }).first()).toBeFocused();
  await page.keyboard.press('Escape');

  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await expect(page).toHaveURL(/\/today$/);
  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await expect(rows(page)).toHaveCount(3);

  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(help).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
});

test('opening, deleting and moving a row', async ({ person, context }) => {
  const page = await tab(context);
  for (const title of ['Second', 'First']) await add(page, title);
  await page.getByRole('textbox', { name: 'Add a task' }).blur();

  await page.keyboard.press('j');
  await page.keyboard.press('Alt+ArrowDown');
  await expect(rows(page).first()).toContainText('Second');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/tasks\//);
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/\/inbox$/);
  await page.keyboard.press('Delete');
  await expect(rows(page)).toHaveCount(1);
  await page.keyboard.press('z');
  await expect(rows(page)).toHaveCount(2);
});
