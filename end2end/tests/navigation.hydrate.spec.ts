// Going from page to page asks the server for nothing, and the back button knows the way.
import { expect, make, row, tab, test } from './fixtures';

test('links, back, forward and a deep link', async ({ person, context, baseURL }) => {
  const task = await make(context.request, baseURL!, { title: 'Deep', description: 'Below the surface', tags: ['home'] });
  const page = await tab(context);
  let loads = 0;
  page.on('request', request => {
    if (request.resourceType() === 'document') loads += 1;
  });
  const views = page.getByRole('navigation', { name: 'Views', exact: true });
  await views.getByRole('link', { name: 'Today' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Today' })).toBeVisible();
  await expect(page).toHaveTitle(/^Today/);
  await views.getByRole('link', { name: 'home' }).click();
  await expect(page).toHaveURL(/\/tags\/home$/);
  await row(page, 'Deep').getByRole('link', { name: 'Deep' }).click();
  await expect(page).toHaveURL(`/tasks/${task.id}`);
  await expect(page.getByText('Below the surface')).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/\/tags\/home$/);
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1, name: 'Today' })).toBeVisible();
  await page.goForward();
  await expect(page).toHaveURL(/\/tags\/home$/);
  expect(loads).toBe(0);

  await page.goto(`/tasks/${task.id}`);
  await expect(page.getByText('Below the surface')).toBeVisible();
  await page.reload();
  await expect(page.getByText('Below the surface')).toBeVisible();
});
