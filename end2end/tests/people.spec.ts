// Two people, one server: neither ever sees the other.
import { add, expect, make, register, row, rows, somebody, test } from './fixtures';

// What is not there is a 404, which the console notes.
test.use({ networkFaults: true });

test('nobody sees what is another person\'s', async ({ page, person, browser, baseURL, contextOptions }) => {
  const other = await browser.newContext({ ...contextOptions, baseURL });
  await register(other, somebody('Jonas Weber'), baseURL!);
  const theirs = await other.newPage();
  const secret = await make(other.request, baseURL!, { title: 'Their secret', tags: ['hidden'] });

  await page.goto('/inbox');
  await add(page, 'My own');
  await theirs.goto('/inbox');
  await expect(row(theirs, 'Their secret')).toBeVisible();
  await expect(rows(theirs)).toHaveCount(1);

  for (const path of ['/inbox', '/search?q=secret', '/tags/hidden', '/activity', '/completed', '/trash']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByText('Their secret')).toHaveCount(0);
    expect(await page.content()).not.toContain('Their secret');
  }
  const answer = await page.goto(`/tasks/${secret.id}`);
  expect(answer!.status()).toBe(404);
  expect(await page.content()).not.toContain('Their secret');
  await other.close();
});
