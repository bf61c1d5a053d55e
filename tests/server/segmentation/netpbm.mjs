// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures in Netpbm's binary formats, one after the other on two descriptors that block.
import { readSync, writeSync } from 'node:fs';

const maxHeader = 64; // bytes

// Fills all of it; false where the stream ends before its first byte.
function fill(fd, bytes) {
  for (let at = 0; at < bytes.length;) {
    const n = readSync(fd, bytes, at, bytes.length - at, null);
    if (n === 0 && at > 0) throw new Error('the stream ends inside of a picture');
    if (n === 0) return false;
    at += n;
  }
  return true;
}

// Its tokens end with a single white space, behind which the pixels begin. Empty at the stream's end.
function readHeader(fd) {
  const byte = new Uint8Array(1);
  let text = '';
  while (fill(fd, byte)) {
    text += String.fromCharCode(byte[0]);
    if (/^(\S+\s+){3}\S+\s$/.test(text)) return text;
    if (text.length === maxHeader) break;
  }
  if (text !== '') throw new Error(`no header of a picture: ${JSON.stringify(text)}`);
  return text;
}

// The next picture, {width, height, data} with three bytes a pixel; undefined at the stream's end.
export function readPicture(fd) {
  const header = readHeader(fd);
  if (header === '') return undefined;
  const match = /^P6\s+(\d+)\s+(\d+)\s+255\s$/.exec(header);
  if (match === null) throw new Error(`only P6 with 255 levels is read: ${JSON.stringify(header)}`);
  const [width, height] = match.slice(1).map(Number);
  const data = new Uint8Array(width * height * 3);
  if (!fill(fd, data)) throw new Error('the stream ends before the pixels');
  return { width, height, data };
}

// One byte a pixel.
export function writeGrey(fd, { width, height, data }) {
  const bytes = Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), data]);
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}
