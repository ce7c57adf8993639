// Statistics are a plain page with charts, in either theme, with scripts and without.
import { expect, make, test } from './fixtures';

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('statistics', async ({ page, person, context, baseURL }) => {
      const today = new Date().toISOString().slice(0, 10);
      await make(context.request, baseURL!, { title: 'Done', tags: ['home'], due_date: today, completed: true });
      await make(context.request, baseURL!, { title: 'Open' });
      const chart = page.getByRole('img', { name: /2 created, 1 completed/ });
      // They are counted once the events have been taken in.
      await expect(async () => {
        await page.goto('/statistics');
        await expect(chart).toBeVisible({ timeout: 500 });
      }).toPass();
      await expect(page.getByRole('heading', { level: 1, name: 'Statistics' })).toBeVisible();
      const box = (await chart.boundingBox())!;
      expect(box.width).toBeGreaterThan(200);
      expect(box.height).toBeGreaterThan(40);
      const light = await page.evaluate(() => {
        const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g)!.map(Number);
        return r + g + b > 3 * 128;
      });
      expect(light).toBe(colorScheme === 'light');
      await page.getByRole('navigation', { name: 'Days' }).getByRole('link').last().click();
      await expect(page).toHaveURL(/\/statistics\?days=/);
      await expect(chart).toBeVisible();
    });
  });
}
