// Shows what is pushed, and leads from a notification to its page. It answers no requests and keeps nothing.
const tabs = () => clients.matchAll({ type: 'window', includeUncontrolled: true });

addEventListener('push', event => {
  event.waitUntil((async () => {
    const { id, title, body, path } = event.data.json();
    // A tab may have shown it. It has the same tag, and so there is one, which sounds once; but a push
    // that shows nothing is held against the site, and some browsers then allow no more.
    const there = await registration.getNotifications({ tag: id });
    await registration.showNotification(title, { body, data: path, tag: id, silent: there.length > 0 });
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
