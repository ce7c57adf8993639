// Leads from a notification to its page. It answers no requests and keeps nothing.
addEventListener('notificationclick', event => {
  const { href } = new URL(event.notification.data, location);
  event.notification.close();
  event.waitUntil((async () => {
    const tabs = await clients.matchAll({ type: 'window', includeUncontrolled: true });
    const there = tabs.find(tab => tab.url === href);
    return there ? there.focus() : clients.openWindow(href);
  })());
});
