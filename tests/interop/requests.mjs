// SPDX-License-Identifier: LGPL-2.1-or-later
// The element's requests beside the client's own: the same inputs, sent by both to a server of our
// own, are the same values to @msgpack/msgpack (or JSON), and where said, the same bytes.

import assert from 'node:assert/strict';
import { decode, encode } from '@msgpack/msgpack';
import {
  Inbox, check, connect, getAddress, keepFile, picture, picturePath, pictureUri, run, withPeer,
} from './harness.mjs';

// ---- Both senders ----

// gst-launch-1.0 takes the quotes and one layer of backslashes away.
const quote = (text) => `"${text.replace(/[\\"]/g, '\\$&')}"`;

async function sendFromElement(json, properties, path) {
  await run('gst-launch-1.0', ['-q', 'multifilesrc', `location=${path}`, 'num-buffers=1',
    'caps=image/jpeg,width=256,height=256,framerate=1/1', '!', 'falrealtimefilter', 'app=me/my-app',
    `base-uri=${getAddress()}`, 'auth=none', 'app-defaults=false', 'request-id=never',
    'image-field=image', `parameters-json=${quote(json)}`, ...properties, '!', 'fakesink']);
}

async function sendFromClient(input, encodeMessage) {
  const connection = connect('me/my-app', { encodeMessage, decodeMessage: () => ({}) });
  connection.send(input);
  await connection.results.next('answer');
  connection.close();
}

// What the server got from the element and from the client: {data, isBinary} each.
async function sendFromBoth({ json, properties, path, input, encodeMessage }) {
  const requests = new Inbox();
  const answer = (request) => {
    requests.push(request);
    return encode({ images: [{ content: picture }] });
  };
  const both = [];
  await withPeer(answer, async () => {
    await sendFromElement(json, properties, path);
    both.push(await requests.next('request of the element'));
    await sendFromClient(input, encodeMessage);
    both.push(await requests.next('request of the client'));
    assert.equal(requests.length, 0, 'one request each');
  });
  for (const { isBinary } of both) assert.ok(isBinary, 'binary frames');
  return both.map(({ data }) => data);
}

// ---- The inputs ----

const named = (values) => Object.fromEntries(values.map((value, i) => [`v${i}`, value]));
const text = (length) => 'x'.repeat(length);
const items = (length) => Array.from({ length }, (none, i) => i);
const nest = (depth) => (depth === 0 ? { end: true } : { deeper: nest(depth - 1), list: [depth] });

const INTEGERS = [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -1, -32,
  -33, -127, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53) + 1];
const LONG = [2n ** 53n, 2n ** 63n - 1n, -(2n ** 53n), -(2n ** 63n)];
const WHOLE = [0, 1, -1, 100, 7.5, 65536, 2 ** 53];
const FLOATS = [0.5, -0.25, 0.1, 1 / 3, 1.5e-7, 1.7976931348623157e308, 5e-324, -123456.789];
const CHARACTERS = ['ÄÖÜß', 'Ελληνικά', 'שלום', '日本語', '🎨', '👩‍👩‍👧', 'e\u0301', '\u2028\u2029', '\ufeff',
  '\uffff', '\u{10ffff}', 'tab\tline\nreturn\r', '"quoted" \\ / back\\', '%s {} $'];

const CONTROLS = items(32).slice(1).concat(127).map((code) => String.fromCharCode(code));

// A JSON text that tells 1.0 from 1, which JavaScript's own cannot.
const floatText = (value) => (/[.e]/.test(value) ? `${value}` : `${value}.0`);
const fields = (texts) => `{${texts.map((value, i) => `"v${i}":${value}`).join(',')}}`;

// json: the element's input, where it is not JSON.stringify(values). options: of the client's
// encoder and of both decoders. codecs: msgpack and json where it does not say. jsonHas: what the
// element's JSON must hold. loose: the bytes of the client's JSON are not the only right ones.
const INPUTS = [
  { what: 'integers at each size', values: { ...named(INTEGERS), list: INTEGERS } },
  { what: 'integers past 2^53', values: named(LONG), json: fields(LONG), codecs: ['msgpack'],
    options: { useBigInt64: true } },
  { what: 'floats', values: named(FLOATS), loose: true },
  { what: 'floats that are whole', values: named(WHOLE), json: fields(WHOLE.map(floatText)),
    options: { forceIntegerToFloat: true }, loose: true, jsonHas: '"v1":1.0' },
  { what: 'negative zero', values: { v0: -0 }, json: '{"v0":-0.0}',
    options: { forceIntegerToFloat: true }, codecs: ['msgpack'] },
  { what: 'truth', values: { yes: true, no: false, both: [true, false] } },
  { what: 'nil', values: { nothing: null, list: [null, 1] } },
  { what: 'text of each length', values: named([0, 1, 31, 32, 255, 256, 65535].map(text)) },
  { what: 'text past 16 bits', values: { v0: text(65536) } },
  { what: 'text of all kinds', values: named(CHARACTERS), loose: true },
  { what: 'control characters', values: named(CONTROLS), loose: true },
  { what: 'lists', values: named([[], [1], items(15), items(16), items(300), [1, 'a', true, 0.5],
    [[], [[1]], [2, [3]]], [{ a: 1 }, { b: [2] }], ['a', 'b']]) },
  { what: 'maps', values: { empty: {}, small: named(items(15)), large: named(items(16)),
    nested: nest(8), 'größe': 1, 'two words': 2, 'a-b_c': 3 } },
  { what: 'no input at all', values: {} },
];

// The pictures: bytes at each size of msgpack, and how else one may stand in a request. The smallest
// JPEG (start, frame header of 1 × 1, scan header, end), and zeros behind it, as cameras have them.
const tiny = Buffer.from('ffd8ffc0000b080001000101011100ffda0008010100000000ffd9', 'hex');
const bytes = (length) => Buffer.concat([tiny, Buffer.alloc(65536)]).subarray(0, length);
const PICTURES = [
  ...[255, 256, 65535, 65536].map((length) => ({
    what: `a picture of ${length} bytes`, bytes: bytes(length), properties: ['image-encoding=bytes'],
    input: { image: bytes(length) }, codecs: ['msgpack'] })),
  { what: 'a picture as data URI', properties: ['image-encoding=data-uri'],
    input: { image: pictureUri } },
  { what: 'a picture as base64', properties: ['image-encoding=base64'],
    input: { image: picture.toString('base64') } },
  { what: 'a picture inside a map', json: '{"input":{"scale":2}}',
    properties: ['image-encoding=base64', 'image-field=input.image'],
    input: { input: { scale: 2, image: picture.toString('base64') } } },
  { what: 'named properties and an id',
    properties: ['image-encoding=base64', 'prompt=a cat', 'negative-prompt=dogs', 'seed=42',
      'num-inference-steps=4', 'strength=0.5', 'guidance-scale=1.0', 'request-id=always'],
    input: { prompt: 'a cat', negative_prompt: 'dogs', seed: 42, num_inference_steps: 4,
      strength: 0.5, guidance_scale: 1, image: picture.toString('base64') },
    anyOrder: true },
];

// ---- The comparison ----

const CODECS = {
  msgpack: {
    name: 'msgpack',
    encodingOf: (options) => options && ((input) => encode(input, options)),
    decode: (data, options) => decode(data, options),
  },
  json: {
    name: 'json',
    encodingOf: () => (input) => new TextEncoder().encode(JSON.stringify(input)),
    decode: (data) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data)),
  },
};

// msgpack's bin is a Uint8Array of its own or of Node's kind: both are bytes.
const plain = (value) => (value.image instanceof Uint8Array
  ? { ...value, image: Buffer.from(value.image) } : value);

async function compare(row, codec) {
  const { json = '{}', options, properties, input } = row;
  const path = row.bytes ? keepFile('sent.jpg', row.bytes) : picturePath;
  const encodeMessage = codec.encodingOf(options);
  const [fromElement, fromClient] = await sendFromBoth({
    json, path, input, encodeMessage, properties: [`encoding=${codec.name}`, ...properties],
  });
  const got = plain(codec.decode(fromElement, options));
  if (row.anyOrder) {
    assert.equal(typeof got.request_id, 'string');
    delete got.request_id; // the element's own
  }
  assert.deepEqual(got, plain(codec.decode(fromClient, options)));
  assert.deepEqual(got, plain(input));
  if (codec.name === 'json' && row.jsonHas)
    assert.ok(String(fromElement).includes(row.jsonHas), String(fromElement).slice(0, 200));
  if (!row.anyOrder && !(row.loose && codec.name === 'json'))
    assert.ok(fromElement.equals(fromClient), 'the same bytes');
}

const withPicture = ({ values, json, ...row }) => ({
  ...row,
  json: json ?? JSON.stringify(values),
  properties: ['image-encoding=base64'],
  input: { ...values, image: picture.toString('base64') },
});

for (const row of [...INPUTS.map(withPicture), ...PICTURES])
  for (const codec of row.codecs ?? ['msgpack', 'json'])
    check(`${codec}: the element sends ${row.what} as the client does`, () =>
      compare(row, CODECS[codec]));
