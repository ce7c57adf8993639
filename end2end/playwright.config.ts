import { defineConfig, devices } from '@playwright/test';

// Debian's Chromium: Playwright's own download is not needed.
const launchOptions = {
  executablePath: process.env.TIDINGS_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
};

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  forbidOnly: !!process.env.CI,
  // A fault is a fault: nothing is tried again.
  retries: 0,
  fullyParallel: true,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    ...devices['Desktop Chrome'],
    launchOptions,
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    trace: 'retain-on-failure',
    actionTimeout: 10_000,
  },
  projects: [
    { name: 'desktop' },
    // What needs scripts says so in its name and stays away.
    { name: 'nojs', testIgnore: /\.hydrate\.spec\.ts$/, use: { javaScriptEnabled: false } },
    { name: 'phone', testMatch: /(journey|access)[a-z.]*\.spec\.ts$/, use: { viewport: { width: 390, height: 844 }, hasTouch: true } },
  ],
});
