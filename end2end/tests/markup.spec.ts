// What people write is text, wherever it is shown.
import { add, expect, make, row, test } from './fixtures';

const marked = '<img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>';
const closing = '</script><b>bold</b> & "quoted" \'too\'';

test('markup in titles, descriptions and tags stays text', async ({ page, person, context, baseURL }) => {
  const first = await make(context.request, baseURL!, { title: marked, description: closing, tags: ['<b>'] });
  await make(context.request, baseURL!, { title: closing });
  for (const path of ['/inbox', '/search?q=img', '/activity', `/tasks/${first.id}`]) {
    await page.goto(path);
    await expect(page.getByRole('heading').first()).toBeVisible();
    expect(await page.content()).toContain('onerror');
    await expect(page.locator('img')).toHaveCount(0);
    await expect(page.locator('b', { hasText: /^bold$/ })).toHaveCount(0);
    await expect(page).not.toHaveTitle(/broken/);
  }
  await page.goto('/inbox');
  await expect(row(page, closing)).toBeVisible();
  await add(page, '<u>under</u>');
  await expect(page).not.toHaveTitle(/broken/);
});
