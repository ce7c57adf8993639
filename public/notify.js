// Notifications in the browser, beside the application. The tab's socket leaves the number of unread
// ones on the root element; from there it goes to the bell, and where the person allowed it, what is
// new is shown by the browser: once, however many tabs are open. With every tab closed the server pushes
// it to the service worker.
const root = document.documentElement;
/** The newest one that a tab of this browser took care of. */
const SEEN = 'tidings.seen';
/** When this browser last told the server where it is reached with every tab closed. */
const TOLD = 'tidings.push';
/** Whom both are of. */
const WHO = 'tidings.person';
const HOUR = 3_600_000;
const can = 'Notification' in window && 'serviceWorker' in navigator && 'locks' in navigator;

const read = async path => (await fetch(path)).json();
const place = notice => notice.created_at + notice.id;

/** What the page started from. */
const { now, profile } = JSON.parse(document.getElementById('page').textContent);

/** What another person's tabs took care of is not this one's, who is told here from now on. */
function meet() {
  const { id } = profile.user;
  if (localStorage.getItem(WHO) === id) return;
  localStorage.removeItem(SEEN);
  localStorage.removeItem(TOLD);
  localStorage.setItem(WHO, id);
}

function ring() {
  const bell = document.querySelector('.bell');
  const count = Number(root.dataset.unread);
  if (!bell) return;
  bell.setAttribute('aria-label', count ? `Notifications, ${count} unread` : 'Notifications');
  const number = bell.querySelector('b');
  number.textContent = count > 99 ? '99+' : count;
  number.hidden = !count;
}

async function worker() {
  await navigator.serviceWorker.register('/sw.js');
  return navigator.serviceWorker.ready;
}

/** Tells the server where to reach this browser, now and then: it forgets who seems to be gone. */
async function subscribe() {
  if (Date.now() - localStorage.getItem(TOLD) < HOUR) return;
  const { pushManager } = await worker();
  const { key } = await read('/api/push/key');
  const bytes = atob(key.replaceAll('-', '+').replaceAll('_', '/'));
  const applicationServerKey = Uint8Array.from(bytes, byte => byte.charCodeAt());
  let at = await pushManager.getSubscription();
  // A database that was made anew has another key.
  if (at && String(new Uint8Array(at.options.applicationServerKey)) !== String(applicationServerKey)) {
    await at.unsubscribe();
    at = null;
  }
  at ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  const headers = { 'content-type': 'application/json' };
  const told = await fetch('/api/push/subscriptions', { method: 'POST', headers, body: JSON.stringify(at) });
  if (told.ok) localStorage.setItem(TOLD, Date.now());
}

function reach() {
  if (!can || !('PushManager' in window) || Notification.permission !== 'granted') return;
  // A browser without a push service shows what comes while a tab is open.
  subscribe().catch(() => {});
}

/** Whether this page has not looked yet. */
let first = true;

async function show() {
  const early = first;
  first = false;
  const [{ items }, chosen] = await Promise.all([
    read('/api/notifications?limit=5'), read('/api/me/notifications'),
  ]);
  const seen = localStorage.getItem(SEEN);
  localStorage.setItem(SEEN, items.length ? place(items[0]) : '');
  // What was there before the browser was asked to show anything is no news.
  if (seen === null) return;
  const news = items.filter(notice => {
    const { app, browser } = chosen[notice.kind];
    return browser && place(notice) > seen && !(app && notice.read_at);
  });
  if (!news.length) return;
  const shows = await worker();
  // What came before there was a tab was pushed.
  if (early && await shows.pushManager?.getSubscription()) return;
  for (const { id, title, body, task_id } of news.reverse()) {
    const data = task_id ? `/tasks/${task_id}` : '/notifications';
    // What was pushed meanwhile has sounded.
    const there = await shows.getNotifications({ tag: id });
    await shows.showNotification(title, { body, data, tag: id, silent: there.length > 0 });
  }
}

function notify() {
  if (!can || Notification.permission !== 'granted') return;
  // One tab after the other: whoever comes second finds it done. What fails (the network, the
  // session) is in the list all the same.
  navigator.locks.request(SEEN, show).catch(() => {});
}

/** In this page: at most so many at once, for so long unless one is at them. */
const MOST = 3;
const STAYS = 12_000;
const toasts = document.createElement('div');
toasts.className = 'told';
toasts.setAttribute('role', 'status');
document.body.append(toasts);
/** The newest one that this page knows of; what is older than the page is on the bell. */
let known = now;

function tell({ title, body, task_id }) {
  const toast = document.createElement('div');
  toast.className = 'toast';
  const link = document.createElement('a');
  link.href = task_id ? `/tasks/${task_id}` : '/notifications';
  const [name, words] = ['b', 'span'].map(tag => document.createElement(tag));
  [name.textContent, words.textContent] = [title, body];
  link.append(name, ' ', words);
  const close = document.createElement('button');
  close.textContent = 'Close';
  close.onclick = () => {
    toast.remove();
    document.querySelector('.told button, .bell')?.focus();
  };
  link.onclick = () => toast.remove();
  toast.append(link, close);
  toasts.append(toast);
  if (toasts.children.length > MOST) toasts.firstChild.remove();
  const end = () => (toast.matches(':hover, :focus-within') ? setTimeout(end, STAYS) : toast.remove());
  setTimeout(end, STAYS);
}

const look = () => here().catch(() => {});

/** What has come is shown in the page that one looks at, and what is read everywhere shows no more. */
async function here() {
  if (!Number(root.dataset.unread)) return toasts.replaceChildren();
  if (document.hidden) return document.addEventListener('visibilitychange', look, { once: true });
  const { items } = await read(`/api/notifications?limit=${MOST}`);
  // Meanwhile all was read, or another tab showed who somebody else is.
  if (!Number(root.dataset.unread) || localStorage.getItem(WHO) !== profile.user.id) return;
  const news = items.filter(notice => place(notice) > known && !notice.read_at);
  if (news.length) known = place(news[0]);
  news.reverse().forEach(tell);
}

/** The line on Account: asks by a button, or says what the browser answered. */
function line() {
  const whole = document.getElementById('browser-notices');
  if (!can || !whole) return;
  const [button, says] = whole.children;
  const words = {
    granted: 'This browser shows what you ticked.',
    denied: 'This browser does not allow it. Its settings for this site can.',
  };
  const answer = () => {
    button.hidden = Notification.permission !== 'default';
    says.textContent = words[Notification.permission] ?? '';
  };
  button.onclick = async () => {
    await Notification.requestPermission();
    answer();
    notify();
    reach();
  };
  answer();
  whole.hidden = false;
}

function changed() {
  ring();
  notify();
  look();
}

new MutationObserver(changed).observe(root, { attributeFilter: ['data-unread'] });
meet();
// The socket may have been quicker than this script.
if (root.dataset.unread) changed();
line();
reach();
