// SPDX-License-Identifier: LGPL-2.1-or-later
// For fal-local-server --effect-command: each picture on the input is answered by its matte.
import { load } from './network.mjs';
import { readPicture, writeGrey } from './netpbm.mjs';

// Only mattes go out by the standard output; what LiteRT has to tell is of no interest unless it fails.
const told = [];
for (const level of ['log', 'info', 'warn', 'error']) console[level] = (...words) => told.push(words.join(' '));

try {
  const segment = await load();
  for (let picture; (picture = readPicture(0)) !== undefined;) writeGrey(1, await segment(picture));
} catch (error) {
  process.stderr.write([...told.slice(-20), error.stack, ''].join('\n'));
  process.exitCode = 1;
}
