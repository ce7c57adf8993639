// Writes a brotli copy beside every text or wasm file of a folder, where the file is newer than its
// copy. The server sends the copy as it is, so compression costs nothing at run time.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const folder = process.argv[2];
const worth = /\.(css|html|ico|js|json|map|svg|txt|wasm|webmanifest|xml)$/;
const modified = path => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

for (const name of readdirSync(folder, { recursive: true })) {
  const path = join(folder, name);
  if (!worth.test(name) || modified(`${path}.br`) > modified(path)) continue;
  const bytes = readFileSync(path);
  const packed = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  if (packed.length < bytes.length) writeFileSync(`${path}.br`, packed);
}
