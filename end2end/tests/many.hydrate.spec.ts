// A thousand open tasks: a change of one draws one.
import { expect, live, make, row, rows, test } from './fixtures';

test('one of a thousand changes, one row is drawn', async ({ page, person, context, baseURL }) => {
  test.slow();
  const some = (from: number, count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => make(context.request, baseURL!, { title: `Task ${from + n}` })));
  for (let from = 0; from < 1000; from += 50) await some(from, 50);

  await page.goto('/inbox');
  await live(page);
  await expect(rows(page)).toHaveCount(1000);
  await page.evaluate(() => {
    const touched = new Set<Element>();
    Object.assign(window, { touched });
    new MutationObserver(records => {
      for (const record of records) {
        const node = record.target instanceof Element ? record.target : record.target.parentElement;
        const row = node?.closest('.row');
        if (row) touched.add(row);
      }
    }).observe(document.getElementById('main')!, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  await make(context.request, baseURL!, { title: 'One more' });
  await expect(rows(page)).toHaveCount(1001);
  const touched = () => page.evaluate(() => (window as unknown as { touched: Set<Element> }).touched.size);
  expect(await touched()).toBeLessThanOrEqual(1);

  // The click that completes shows soon, however many rows there are and busy the machine is.
  const took = await page.evaluate(async () => {
    const button = [...document.querySelectorAll<HTMLElement>('#main .row button')].find(b => b.ariaLabel === 'Complete Task 500')!;
    const start = performance.now();
    button.click();
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - start;
  });
  await expect(row(page, 'Task 500')).toHaveCount(0);
  expect(took, 'milliseconds from click to the next frame').toBeLessThan(1000);
  expect(await touched()).toBeLessThanOrEqual(2);
});
