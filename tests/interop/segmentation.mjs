// SPDX-License-Identifier: LGPL-2.1-or-later
// The network of tests/server/segmentation behind the local server: what it tells the unmodified client and
// the element apart, how well, how soon, and what it says to pictures that are none.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  JPEG, PNG, SOURCE, BUILD, assertPicture, check, connect, decodePicture, getAddress, keepFile, nextOf,
  picture, run, withServer,
} from './harness.mjs';

const skip = process.env.FAL_NO_SEGMENTATION;
const patience = 4; // it computes, where the others wait
const CLIP = '/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4';
// A head and shoulders in a corner of a desktop.
const WEBCAM = ['filesrc', `location=${CLIP}`, '!', 'decodebin', '!', 'videocrop', 'left=110', 'top=76',
  'right=914', 'bottom=450', '!', 'videoscale', '!', 'video/x-raw,width=512,height=388'];

const withNetwork = (body) =>
  withServer([BUILD], body, join(SOURCE, 'tests/server/segmentation/run'));

// ---- Pictures, and where in them somebody is ----

// The mean opacity, 0 to 1, of RGBA pixels inside of a rectangle.
function opacity(pixels, width, [left, top, right, bottom]) {
  let sum = 0;
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) sum += pixels[(y * width + x) * 4 + 3];
  return sum / (255 * (right - left) * (bottom - top));
}

function assertOpacity(pixels, width, inside, outside, what) {
  for (const area of inside) {
    const value = opacity(pixels, width, area);
    assert.ok(value > 0.97, `${what}: ${area} is somebody, but ${value} of it is opaque`);
  }
  for (const area of outside) {
    const value = opacity(pixels, width, area);
    assert.ok(value < 0.03, `${what}: ${area} is nobody, but ${value} of it is opaque`);
  }
}

function isInside(outline, x, y) {
  let inside = false;
  outline.forEach(([x1, y1], i) => {
    const [x2, y2] = outline.at(i - 1);
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  });
  return inside;
}

// The area that is opaque and inside of the outline, by that which is either.
function overlap(pixels, width, outline) {
  let both = 0;
  let either = 0;
  for (let at = 0; at * 4 < pixels.length; at++) {
    const drawn = isInside(outline, (at % width) + 0.5, Math.floor(at / width) + 0.5);
    const opaque = pixels[at * 4 + 3] > 127;
    both += drawn && opaque;
    either += drawn || opaque;
  }
  return both / either;
}

// The man of the clip's first frame with his headset, drawn by hand.
const OUTLINE = [[9, 388], [22, 360], [50, 338], [100, 326], [150, 315], [180, 303], [185, 290], [186, 268],
  [178, 255], [174, 232], [150, 228], [134, 215], [133, 196], [150, 180], [157, 150], [170, 132], [177, 118],
  [188, 103], [205, 90], [235, 83], [262, 87], [282, 102], [297, 124], [312, 135], [322, 160], [326, 185],
  [337, 200], [338, 225], [326, 238], [305, 244], [292, 245], [284, 270], [281, 298], [300, 313], [345, 326],
  [390, 343], [415, 365], [430, 388]];
// Where he is in all frames, though he moves, and where he never comes.
const HIM = [[205, 130, 265, 225], [90, 350, 360, 388]];
const ROOM = [[0, 0, 100, 250], [370, 0, 512, 250], [100, 0, 370, 50]];
// The astronaut of 256 by 256, the same way.
const HER = [[95, 35, 125, 75], [60, 150, 150, 240]];
const SPACE = [[0, 0, 50, 80], [200, 0, 256, 60]];

// ---- The client ----

check('the network cuts the astronaut out for the client', () =>
  withNetwork(async () => {
    const { send, close, results } = connect('fal-ai/birefnet');
    send({ image_bytes: picture });
    const { image, ...rest } = await results.next('result');
    const { content, ...described } = image;
    assert.deepEqual(rest, {});
    assert.deepEqual(described, { width: 256, height: 256, content_type: 'image/png' });
    assertPicture(content, PNG);
    assertOpacity(await decodePicture(content), 256, HER, SPACE, 'the astronaut');
    close();
  }), { skip, patience });

check('the network puts the astronaut before a colour where the client names one', () =>
  withNetwork(async () => {
    const { send, close, results } = connect('fal-ai/birefnet');
    send({ image_bytes: picture, background_color: '#00ff00' });
    const { image } = await results.next('result');
    assertPicture(image.content, JPEG);
    assert.equal(image.content_type, 'image/jpeg');
    const [red, green, blue] = await decodePicture(image.content);
    assert.ok(red < 16 && green > 240 && blue < 16, `${[red, green, blue]} in the corner`);
    close();
  }), { skip, patience });

async function makeJpeg(width, height) {
  const path = keepFile('made.jpg', '');
  await run('gst-launch-1.0', ['-q', 'videotestsrc', 'pattern=smpte', 'num-buffers=1', '!',
    `video/x-raw,format=GRAY8,width=${width},height=${height}`, '!', 'jpegenc', '!',
    'filesink', `location=${path}`]);
  return readFileSync(path);
}

check('the network refuses what is no picture, and goes on', () =>
  withNetwork(async () => {
    const broken = {
      text: Buffer.from('This is no picture.'), nothing: Buffer.alloc(0),
      'half a JPEG': picture.subarray(0, picture.length / 2),
      '64 megapixels': await makeJpeg(8000, 8000),
    };
    for (const [what, bytes] of Object.entries(broken)) {
      const { send, close } = connect('fal-ai/birefnet');
      send({ image_bytes: bytes });
      const { type, error, reason } = JSON.parse(await nextOf('said'));
      assert.deepEqual([type, error], ['x-fal-error', 'INTERNAL_ERROR'], what);
      assert.match(reason, /^cannot identify image file/, what);
      close();
    }
    const { send, close, results } = connect('fal-ai/birefnet');
    for (const [width, height] of [[1, 1], [1, 400], [2000, 3]]) {
      send({ image_bytes: await makeJpeg(width, height) });
      const { image } = await results.next('result');
      assert.deepEqual([image.width, image.height], [width, height]);
    }
    close();
  }), { skip, patience });

check('the network answers 512 by 512 pixels', (t) =>
  withNetwork(async () => {
    const { send, close, results } = connect('fal-ai/birefnet');
    const path = keepFile('large.jpg', '');
    await run('gst-launch-1.0', ['-q', 'filesrc', `location=${join(SOURCE, 'tests/data/astronaut.png')}`,
      '!', 'decodebin', '!', 'videoconvert', '!', 'videoscale', '!', 'video/x-raw,width=512,height=512',
      '!', 'jpegenc', '!', 'filesink', `location=${path}`]);
    const times = [];
    for (let i = 0; i < 25; i++) {
      const begin = performance.now();
      send({ image_bytes: readFileSync(path) });
      const { image } = await results.next('result');
      times.push(performance.now() - begin);
      assert.deepEqual([image.width, image.height], [512, 512]);
    }
    times.splice(0, 5); // before everything is loaded
    times.sort((a, b) => a - b);
    const [p50, most] = [times[times.length / 2], times.at(-1)].map((time) => time.toFixed(1));
    t.diagnostic(`JPEG in, PNG with alpha out: p50 ${p50} ms, at most ${most} ms`);
    close();
  }), { skip, patience });

// ---- The element ----

check('the network cuts the man of the clip out for the element', () =>
  withNetwork(async () => {
    const path = keepFile('frames.rgba', '');
    await run('gst-launch-1.0', ['-q', ...WEBCAM, '!', 'videorate', '!', 'video/x-raw,framerate=3/2', '!',
      'falrealtimefilter', 'app=fal-ai/birefnet', `base-uri=${getAddress()}`, 'auth=none', '!',
      'video/x-raw,format=RGBA', '!', 'filesink', `location=${path}`], patience);
    const frames = readFileSync(path);
    const size = 512 * 388 * 4;
    assert.equal(frames.length % size, 0);
    assert.ok(frames.length >= 10 * size, `${frames.length / size} frames`);
    for (let at = 0; at < frames.length; at += size)
      assertOpacity(frames.subarray(at, at + size), 512, HIM, ROOM, `frame ${at / size}`);
    const share = overlap(frames.subarray(0, size), 512, OUTLINE);
    assert.ok(share > 0.88, `${share} of him and what was cut out is both`);
  }), {
  skip: skip || (!existsSync(CLIP) && `${CLIP} of forensics-samples-files is not installed`),
  patience,
});
