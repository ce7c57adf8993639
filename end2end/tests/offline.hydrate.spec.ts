// Without a network: changes are shown, wait, outlive the tab and are sent when it is back.
import { add, expect, live, pill, row, rows, tab, test } from './fixtures';

test.use({ networkFaults: true });

test('changes made offline wait and are sent', async ({ person, context }) => {
  const one = await tab(context);
  await add(one, 'Before');
  await context.setOffline(true);
  await add(one, 'While offline');
  await row(one, 'Before').getByRole('button', { name: 'Complete Before' }).click();
  await expect(pill(one)).toHaveText('Offline, 2 changes waiting');
  await context.setOffline(false);
  await live(one);
  const two = await tab(context);
  await expect(rows(two)).toHaveCount(1);
  await expect(row(two, 'While offline')).toBeVisible();
});

test('changes made offline outlive a reload', async ({ person, context }) => {
  const one = await tab(context);
  await context.setOffline(true);
  await add(one, 'While offline');
  await expect(pill(one)).toHaveText('Offline, 1 change waiting');
  // The tab goes before the network is back.
  await one.close();
  await context.setOffline(false);
  const two = await tab(context);
  await expect(row(two, 'While offline')).toBeVisible();
  await two.reload();
  await expect(row(two, 'While offline')).toBeVisible();
  await expect(rows(two)).toHaveCount(1);
});
