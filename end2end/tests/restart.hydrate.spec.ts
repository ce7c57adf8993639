// The server is killed under open tabs: they say so, go on, and heal by themselves.
import { add, expect, live, pill, row, rows, tab, test } from './fixtures';

test.use({ networkFaults: true, baseURL: async ({ ownServer }, use) => use(ownServer.url) });

test('kill -9 and a new start lose nothing', async ({ person, context, ownServer }) => {
  const one = await tab(context);
  const two = await tab(context);
  await add(one, 'Acknowledged');
  await expect(row(two, 'Acknowledged')).toBeVisible();

  await ownServer.kill();
  await expect(pill(one)).not.toHaveText(/^Live/);
  await add(one, 'While it was gone');
  await add(two, 'In the other tab too');
  await ownServer.start();

  await live(one);
  await live(two);
  for (const page of [one, two]) {
    await expect(rows(page)).toHaveCount(3);
    await expect(row(page, 'While it was gone')).toBeVisible();
    await expect(row(page, 'In the other tab too')).toBeVisible();
  }
  await one.reload();
  await expect(rows(one)).toHaveCount(3);
});
