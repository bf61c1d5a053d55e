// SPDX-License-Identifier: LGPL-2.1-or-later
// The network: MediaPipe's person segmentation, run by LiteRT on the processor.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';

const require = createRequire(import.meta.url);
const size = 256; // pixels, both ways, of the network's input and output

// LiteRT is made for browsers and loads its WebAssembly as a worker would: by a script in the global
// scope, which asks for what Node gives to modules alone.
function actAsWorker(folder) {
  Object.assign(globalThis, {
    self: globalThis,
    require,
    __filename: join(folder, 'worker.js'),
    __dirname: folder,
    importScripts: (file) => runInThisContext(readFileSync(file, 'utf8'), { filename: file }),
  });
}

// Where the samples of each of the network's columns, or rows, begin in a picture so long; the end of the
// last one too. Where the picture is smaller a sample is taken several times.
function divide(length) {
  return Int32Array.from({ length: size + 1 }, (_, at) => Math.floor((at * length) / size));
}

// Every sample is the mean of the pixels that it stands for, 0 to 1.
function shrink({ width, height, data }, samples) {
  const columns = divide(width);
  const rows = divide(height);
  let to = 0;
  for (let row = 0; row < size; row++) {
    const top = rows[row];
    const bottom = Math.max(rows[row + 1], top + 1);
    for (let column = 0; column < size; column++) {
      const left = columns[column];
      const right = Math.max(columns[column + 1], left + 1);
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let y = top; y < bottom; y++) {
        for (let at = (y * width + left) * 3, end = (y * width + right) * 3; at < end; at += 3) {
          red += data[at];
          green += data[at + 1];
          blue += data[at + 2];
        }
      }
      const scale = 1 / (255 * (bottom - top) * (right - left));
      samples[to++] = red * scale;
      samples[to++] = green * scale;
      samples[to++] = blue * scale;
    }
  }
}

// What the network is less than half sure of is background, a person what it is nearly sure of: in between is
// mostly what stands close to a person, and would show as a veil.
const toLevel = (share) => Math.round(Math.min(Math.max((share - 0.5) / 0.45, 0), 1) * 255);

// A function from a picture to its matte: {width, height, data}, a byte a pixel, 255 where the person is.
export async function load() {
  const { loadAndCompile, loadLiteRt, Tensor } = await import('@litertjs/core');
  const wasm = join(dirname(require.resolve('@litertjs/core')), '..', 'wasm');
  actAsWorker(wasm);
  await loadLiteRt(`${wasm}/`);
  const file = require.resolve('@mediapipe/selfie_segmentation/selfie_segmentation.tflite');
  const model = await loadAndCompile(new Uint8Array(readFileSync(file)), { accelerator: 'wasm' });
  const samples = new Float32Array(size * size * 3);

  return async (picture) => {
    shrink(picture, samples);
    const input = new Tensor(samples, [1, size, size, 3]);
    const [output] = await model.run(input);
    const data = Uint8Array.from(output.toTypedArray(), toLevel);
    input.delete();
    output.delete();
    return { width: size, height: size, data };
  };
}
