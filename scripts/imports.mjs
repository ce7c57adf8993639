// Gives the functions that the wasm takes from its glue short names, in both. wasm-bindgen's end in
// a hash, two for each function, and no compression helps those.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const only = kind => join(folder, readdirSync(folder).find(name => name.endsWith(kind)));
const wasm = readFileSync(only('.wasm'));
const names = new Map();

// https://webassembly.github.io/spec/core/binary/modules.html: a section is an id, its length and its
// content; numbers are LEB128.
let at = 8;
const number = () => {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = wasm[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
};
const leb = value => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(Math.floor(value / 0x80))]);
const bytes = count => wasm.subarray(at, (at += count));
const text = value => Buffer.concat([Buffer.from(leb(Buffer.byteLength(value))), Buffer.from(value)]);
const copied = read => {
  const from = at;
  read();
  return wasm.subarray(from, at);
};
const limits = () => {
  const flags = number();
  number();
  if (flags & 1) number();
};
// What is said of an import besides its names, by kind: function, table, memory, global.
const described = [() => number(), () => (at++, limits()), limits, () => (at += 2)];

const parts = [wasm.subarray(0, 8)];
while (at < wasm.length) {
  const from = at;
  const id = wasm[at++];
  const end = number() + at;
  if (id !== 2) {
    at = end;
    parts.push(wasm.subarray(from, end));
    continue;
  }
  const count = number();
  const content = [Buffer.from(leb(count))];
  for (let n = 0; n < count; n++) {
    const module = bytes(number()).toString();
    const name = bytes(number()).toString();
    if (names.has(name) || !/^(__wb[gi]\w+|[0-9a-z]+)$/.test(name)) throw new Error(`an import of another kind: ${module} ${name}`);
    names.set(name, n.toString(36));
    content.push(text(module), text(n.toString(36)), copied(() => described[wasm[at++]]()));
  }
  const section = Buffer.concat(content);
  parts.push(Buffer.from([2, ...leb(section.length)]), section);
}
const glue = readFileSync(only('.js'), 'utf8');
const short = glue.replace(/\b__wb[gi]\w+\b/g, name => (names.has(name) ? `"${names.get(name)}"` : name));
writeFileSync(only('.wasm'), Buffer.concat(parts));
writeFileSync(only('.js'), short);
