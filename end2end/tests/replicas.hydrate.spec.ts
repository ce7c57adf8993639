// Two servers that share a database and a broker, a tab on each: what happens in one is in the other,
// and after a sidecar was gone, too.
import { add, expect, live, type Page, register, row, rows, somebody, test as base, titles } from './fixtures';
import { Place } from './place';

const test = base.extend<{ place: Place }>({
  place: async ({ context }, use) => {
    const place = await Place.make();
    await use(place);
    // First: a tab that finds its server gone says so in the console.
    for (const page of context.pages()) await page.close();
    await place.remove();
  },
});

const same = (one: Page, two: Page) => expect.poll(async () => (await titles(one)).join() === (await titles(two)).join()).toBe(true);

test('tabs on two servers stay equal, and do again after a sidecar was gone', async ({ place, context }) => {
  test.setTimeout(120_000);
  const [first, second] = place.replicas;
  // Cookies know no ports: the person is signed in at both.
  await register(context, somebody(), first.url);
  const open = async (url: string) => {
    const page = await context.newPage();
    await page.goto(`${url}/inbox`);
    await live(page);
    return page;
  };
  const [one, two] = [await open(first.url), await open(second.url)];

  await add(one, 'From the first');
  await expect(row(two, 'From the first')).toBeVisible();
  await add(two, 'From the second');
  await expect(row(one, 'From the second')).toBeVisible();
  await row(two, 'From the first').getByRole('button', { name: 'Complete From the first' }).click();
  await expect(rows(one)).toHaveCount(1);
  await same(one, two);

  // People notice nothing but that the other server hears of it later. A change of its own has it read
  // on at once.
  await second.killSidecar();
  await add(one, 'While it hears nothing');
  await add(two, 'While it says nothing');
  await expect(row(two, 'While it hears nothing')).toBeVisible();
  await second.startSidecar();
  await expect(row(one, 'While it says nothing')).toBeVisible();
  await add(one, 'Afterwards');
  await expect(row(two, 'Afterwards')).toBeVisible();
  await expect(rows(one)).toHaveCount(4);
  await same(one, two);
});
