// Tabs of one person: what happens in one is in the others at once.
import { add, expect, make, type Page, pill, row, rows, tab, test, titles } from './fixtures';

const same = async (pages: Page[]) => {
  const first = await titles(pages[0]);
  for (const page of pages.slice(1)) await expect.poll(() => titles(page)).toEqual(first);
};

test('a task added in one tab is in the other', async ({ page, person, context }) => {
  const one = await tab(context);
  const two = await tab(context);
  await add(one, 'Buy milk');
  await expect(row(two, 'Buy milk')).toBeVisible();
  await expect(row(two, 'Buy milk')).toContainText('just now');
});

test('three tabs stay equal through edits from each', async ({ page, person, context }) => {
  const pages = [await tab(context), await tab(context), await tab(context)];
  const [one, two, three] = pages;
  for (const [number, from] of pages.entries()) await add(from, `Task ${number}`);
  await expect(rows(one)).toHaveCount(3);
  await same(pages);

  await row(two, 'Task 0').getByRole('button', { name: 'Complete Task 0' }).click();
  await expect(rows(three)).toHaveCount(2);
  await three.getByRole('link', { name: 'Task 1', exact: true }).click();
  const title = three.getByRole('textbox', { name: 'Title' });
  await title.fill('Task 1, again');
  await title.press('Tab');
  await expect(row(one, 'Task 1, again')).toBeVisible();
  await expect(row(two, 'Task 1, again')).toBeVisible();
  await same([one, two]);
});

test('a recurring task that is completed in one tab has its next one in the other', async ({ person, context }) => {
  const one = await tab(context);
  const two = await tab(context);
  await add(one, 'Water the plants today every day', 'Water the plants');
  await expect(row(two, 'Water the plants')).toContainText('Today');
  await row(one, 'Water the plants').getByRole('button', { name: 'Complete Water the plants' }).click();
  for (const page of [two, one]) {
    await expect(rows(page)).toHaveCount(1);
    await expect(row(page, 'Water the plants')).toContainText('Tomorrow');
  }
});

test('what one is typing stays while others change the list', async ({ page, person, context }) => {
  const one = await tab(context);
  const two = await tab(context);
  const line = two.getByRole('textbox', { name: 'Add a task' });
  await line.pressSequentially('Half a wo');
  await add(one, 'From elsewhere');
  await expect(row(two, 'From elsewhere')).toBeVisible();
  await expect(line).toBeFocused();
  await line.pressSequentially('rd');
  await expect(line).toHaveValue('Half a word');
});

test('the pill counts the tabs of a person in every browser', async ({ person, context, browser, server }) => {
  const one = await tab(context);
  await expect(pill(one)).toHaveText('Live');
  const two = await tab(context);
  const elsewhere = await browser.newContext({ baseURL: server.url });
  const { email, password } = person;
  const answer = await elsewhere.request.post('/api/auth/login', { data: { email, password } });
  expect(answer.status()).toBe(200);
  const three = await tab(elsewhere);
  for (const page of [one, two, three]) await expect(pill(page)).toHaveText('Live in 3 tabs');
  await two.close();
  await expect(pill(one)).toHaveText('Live in 2 tabs');
  await elsewhere.close();
  await expect(pill(one)).toHaveText('Live');
});

test('a task that is removed for good in one tab is gone from the other', async ({ person, context, server }) => {
  const task = await make(context.request, server.url, { title: 'Rubbish' });
  await context.request.delete(`/api/tasks/${task.id}`);
  const one = await tab(context, '/trash');
  const two = await tab(context, '/trash');
  await expect(row(two, 'Rubbish')).toBeVisible();
  one.once('dialog', question => void question.accept());
  await row(one, 'Rubbish').getByRole('button', { name: 'Delete for good' }).click();
  await expect(row(one, 'Rubbish')).toHaveCount(0);
  await expect(row(two, 'Rubbish')).toHaveCount(0);
});

test.describe('signing out', () => {
  // The tab that is signed out may ask something before it leaves.
  test.use({ networkFaults: true });

  test('in one tab signs out the others', async ({ person, context }) => {
    const one = await tab(context);
    const two = await tab(context, '/account');
    await two.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(two).toHaveURL(/\/sign-in/);
    await expect(one).toHaveURL(/\/sign-in/);
  });
});
