import base from './playwright.config';

// Not a test: takes the pictures of the README.
export default {
  ...base,
  testDir: 'screenshots',
  projects: [{ name: 'pictures', use: { viewport: { width: 1280, height: 800 } } }],
};
