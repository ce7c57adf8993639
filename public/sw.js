// Shows what is pushed, and leads from a notification to its page. It answers no requests and keeps nothing.
const tabs = () => clients.matchAll({ type: 'window', includeUncontrolled: true });

addEventListener('push', event => {
  event.waitUntil((async () => {
    // A tab that is looked at shows it by itself. One that is not may sleep; where it does not, what it
    // shows has the same tag, and so there is one.
    if ((await tabs()).some(tab => tab.visibilityState === 'visible')) return;
    const { id, title, body, path } = event.data.json();
    await registration.showNotification(title, { body, data: path, tag: id });
  })());
});

addEventListener('notificationclick', event => {
  const { href } = new URL(event.notification.data, location);
  event.notification.close();
  event.waitUntil((async () => {
    const there = (await tabs()).find(tab => tab.url === href);
    return there ? there.focus() : clients.openWindow(href);
  })());
});
