// Joins style/main.css and what it imports into target/style.css, since cargo-leptos minifies one
// file and follows no imports. With --watch, again at every change.
import { mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const inline = path =>
  readFileSync(path, 'utf8').replace(/^@import\s+["'](.+?)["'];\n?/gm, (_, name) => inline(join(dirname(path), name)));

const write = () => {
  mkdirSync('target', { recursive: true });
  writeFileSync('target/style.css', inline('style/main.css'));
};

write();
if (process.argv.includes('--watch')) watch('style', { recursive: true }, write);
