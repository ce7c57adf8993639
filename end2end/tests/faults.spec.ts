// What goes wrong is said beside the field, and what was typed stays.
import { expect, register, somebody, test } from './fixtures';

// A refusal is an answer that the console notes.
test.use({ networkFaults: true });

test('a wrong password', async ({ page, context, baseURL }) => {
  const person = somebody();
  await register(context, person, baseURL!);
  await context.clearCookies();
  await page.goto('/sign-in');
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByText(/do not match/)).toBeVisible();
  await expect(page.getByLabel('Email')).toHaveValue(person.email);
});

test('an email that is taken', async ({ page, context, baseURL }) => {
  const person = somebody();
  await register(context, person, baseURL!);
  await context.clearCookies();
  await page.goto('/sign-up');
  await page.getByLabel('Name').fill(person.name);
  await page.getByLabel('Email').fill(person.email.toUpperCase());
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByText(/already registered/)).toBeVisible();
  await expect(page.getByLabel('Name')).toHaveValue(person.name);
});

test('a password that is too short', async ({ page }) => {
  await page.goto('/sign-up');
  await page.getByLabel('Name').fill('Mira');
  await page.getByLabel('Email').fill(somebody().email);
  await page.getByLabel('Password').fill('short');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  await expect(page).toHaveURL(/\/sign-up/);
});

test('a time zone that is none', async ({ page, person }) => {
  await page.goto('/account');
  await page.getByLabel('Name', { exact: true }).fill('Mira K.');
  await page.getByRole('button', { name: 'Save' }).first().click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await page.getByLabel('Time zone').fill('Mars/Base');
  await page.getByRole('button', { name: 'Save' }).first().click();
  await expect(page.getByText(/no time zone of that name/)).toBeVisible();
  await expect(page.getByLabel('Time zone')).toHaveValue('Mars/Base');
  await expect(page.getByText('Saved.')).toHaveCount(0);
});

test('a page that is not there', async ({ page }) => {
  const answer = await page.goto('/nowhere');
  expect(answer!.status()).toBe(404);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nothing here');
});
