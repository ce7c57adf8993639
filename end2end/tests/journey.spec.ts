// A person's first hour, with plain forms where there are no scripts.
import { add, expect, row, rows, somebody, test } from './fixtures';

test('from signing up to signing in again', async ({ page, javaScriptEnabled }) => {
  const person = somebody();

  await test.step('sign up', async () => {
    await page.goto('/');
    await expect(page).toHaveURL(/\/sign-in/);
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('Name').fill(person.name);
    await page.getByLabel('Email').fill(person.email);
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('button', { name: 'Create an account' }).click();
    await expect(page).toHaveURL(/\/inbox$/);
    await expect(page.getByRole('heading', { level: 1, name: 'Inbox' })).toBeVisible();
  });

  await test.step('add with words that are understood', async () => {
    await add(page, 'Buy milk');
    await add(page, 'Water the plants tomorrow 18:00 every week !high #home', 'Water the plants');
    const added = row(page, 'Water the plants');
    await expect(added).toContainText('Tomorrow');
    await expect(added).toContainText('18:00');
    await expect(added).toContainText('home');
  });

  await test.step('edit', async () => {
    await row(page, 'Buy milk').getByRole('link', { name: 'Buy milk' }).click();
    await expect(page).toHaveURL(/\/tasks\//);
    await page.getByRole('textbox', { name: 'Description' }).fill('Two bottles');
    // Without scripts the form is saved as a whole, with them each field as one leaves it.
    if (javaScriptEnabled) await page.getByRole('textbox', { name: 'Description' }).blur();
    else await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.locator('ins', { hasText: 'Two bottles' })).toBeVisible();
    await page.goto('/inbox');
  });

  await test.step('complete', async () => {
    await row(page, 'Buy milk').getByRole('button', { name: 'Complete Buy milk' }).click();
    await expect(rows(page)).toHaveCount(1);
    await page.goto('/completed');
    await expect(row(page, 'Buy milk')).toBeVisible();
    await row(page, 'Buy milk').getByRole('button', { name: 'Reopen Buy milk' }).click();
    await page.goto('/inbox');
    await expect(row(page, 'Buy milk')).toBeVisible();
  });

  await test.step('delete and restore', async () => {
    await row(page, 'Buy milk').getByRole('link', { name: 'Buy milk' }).click();
    await expect(page).toHaveURL(/\/tasks\//);
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(row(page, 'Buy milk')).toHaveCount(0);
    await page.goto('/trash');
    await row(page, 'Buy milk').getByRole('button', { name: 'Restore' }).click();
    await expect(row(page, 'Buy milk')).toHaveCount(0);
    await page.goto('/inbox');
    await expect(row(page, 'Buy milk')).toBeVisible();
  });

  await test.step('search', async () => {
    await page.goto('/search');
    const box = page.getByRole('searchbox', { name: 'Search tasks' }).filter({ visible: true }).first();
    await box.fill('wat pla');
    await box.press('Enter');
    await expect(page).toHaveURL(/q=wat/);
    await expect(row(page, 'Water the plants')).toBeVisible();
    await expect(rows(page)).toHaveCount(1);
    await expect(page.locator('mark')).toHaveText(['Water', 'plants']);
  });

  await test.step('account', async () => {
    await page.goto('/account');
    await page.getByLabel('Name', { exact: true }).fill('Mira K.');
    await page.getByRole('button', { name: 'Save' }).first().click();
    await expect(page.getByText('Saved')).toBeVisible();
    await page.reload();
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Mira K.');
  });

  await test.step('sign out, and in again where one wanted to go', async () => {
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(page).toHaveURL(/\/sign-in/);
    await page.goto('/tags/home');
    await expect(page).toHaveURL(/\/sign-in\?next=/);
    await page.getByLabel('Email').fill(person.email);
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(/\/tags\/home$/);
    await expect(row(page, 'Water the plants')).toBeVisible();
  });
});
