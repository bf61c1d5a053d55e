// SPDX-License-Identifier: LGPL-2.1-or-later
// What the cases share: the local fal server, the program, the browser, and ways to wait for what a
// page shows.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const BUILD = process.env.FAL_BUILD;
const WATCHDOG = 20000; // ms: a wait that takes longer has failed
assert.ok(
  BUILD && process.env.CHROMIUM,
  'start this with tests/examples/live/test-page/run BUILD-FOLDER',
);

const children = new Set(); // programs that run now
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

async function within(promise, what) {
  const end = new AbortController();
  const late = setTimeout(WATCHDOG, null, { signal: end.signal }).then(() =>
    assert.fail(`no ${what} within ${WATCHDOG} ms`),
  );

  late.catch(() => {}); // it is given up where the promise was in time
  return Promise.race([promise, late]).finally(() => end.abort());
}

// ---- Programs ----

// A program whose lines on stdout are waited for.
class Program {
  lines = 0; // that came so far
  #child;
  #ended;
  #readers = new Set(); // each gets every line

  constructor(path, args) {
    this.#child = spawn(`${BUILD}/${path}`, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.add(this.#child);
    this.#ended = once(this.#child, 'close').finally(() => children.delete(this.#child));
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.lines++;
      for (const reader of this.#readers) reader(line);
    });
  }

  // The next line that @accept returns something for, and that.
  async next(what, accept) {
    let reader;
    const found = new Promise((resolve) => {
      reader = (line) => {
        const value = accept(line);
        if (value) resolve(value);
      };
      this.#readers.add(reader);
    });
    const ended = this.#ended.then(([status]) =>
      assert.fail(`it ended with ${status} before ${what}`),
    );
    return within(Promise.race([found, ended]), what).finally(() => this.#readers.delete(reader));
  }

  async stop() {
    this.#child.kill('SIGTERM');
    try {
      const [status] = await within(this.#ended, 'end of the program');
      assert.equal(status, 0);
    } finally {
      this.#child.kill('SIGKILL');
    }
  }
}

// The local fal server; its requests are the fields that it got.
export class Server extends Program {
  static async start(effect, more = []) {
    const server = new Server('tests/server/fal-local-server', [
      '--effect',
      effect,
      '--delay-ms',
      '20',
      '--timings',
      '--print-requests',
      ...more,
    ]);

    server.address = await server.next(
      'address of the server',
      (line) => line.match(/^listening on (.+)$/)?.[1],
    );
    return server;
  }

  // The next request that @accept finds right.
  nextRequest(what, accept) {
    return this.next(`request ${what}`, (line) => {
      const request = line.startsWith('request ') && JSON.parse(line.slice('request '.length));
      return request && accept(request) ? request : null;
    });
  }
}

// The live example, fed by @server.
export class Live extends Program {
  static async start(server, port = 0, more = []) {
    const live = new Live('tests/examples/live/fal-live', [
      '--base-uri',
      server.address,
      '--auth',
      'none',
      '--clip',
      'ball.avi',
      '--prompt',
      'a first prompt',
      '--port',
      port,
      ...more,
    ]);

    live.address = await live.next(
      'address of the page',
      (line) => line.match(/^open (http:.+)$/)?.[1],
    );
    live.port = new URL(live.address).port;
    return live;
  }
}

// ---- The browser ----

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      '--no-sandbox', // for root, as in containers
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      '--use-file-for-fake-video-capture=webcam.mjpeg',
    ],
  });
}

// What no page may ever do, of all pages so far: a line for each.
export const faults = [];

// Opens the live page in a browser's context of its own. @prepare runs in the page before it does;
// @setting: see newContext() of Playwright.
export async function openPage(browser, live, { prepare, ...setting } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...setting });
  const page = await context.newPage();

  watch(page, live.address);
  await page.addInitScript(noteTracks);
  if (prepare) await page.addInitScript(prepare);
  await page.goto(live.address);
  return page;
}

// In the page: the webcam's tracks, so that one sees whether they were stopped.
function noteTracks() {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);

  window.tracks = [];
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
}

function watch(page, address) {
  const { host } = new URL(address);
  const judge = (url) => {
    const { protocol, host: asked } = new URL(url);
    if (protocol !== 'data:' && protocol !== 'blob:' && asked !== host)
      faults.push(`asked for ${url}`);
  };

  page.on('request', (request) => judge(request.url()));
  page.on('websocket', (socket) => judge(socket.url()));
  page.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`));
  page.on(
    'response',
    (response) => response.ok() || faults.push(`${response.status()} ${response.url()}`),
  );
  page.on('pageerror', (error) => faults.push(`error: ${error}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
}

// A tab that can be hidden behind another one. Playwright has every page of its own believe that it
// is seen, so these are opened beside it, and asked by the protocol of the developer tools.
export class Tab {
  #browser; // the session that speaks to the browser itself
  #session; // the name of the tab's session
  #target;
  #asked = new Map(); // who waits for the answer to which number
  #cover = null; // the tab that is in front of this one
  pictures = 0; // that came here, in binary messages
  connections = 0; // that it opened

  static async open(browser, address) {
    const tab = new Tab();

    tab.#browser = await browser.newBrowserCDPSession();
    tab.#browser.on('Target.receivedMessageFromTarget', ({ message }) =>
      tab.#read(JSON.parse(message)),
    );
    tab.#target = await tab.#create('about:blank');
    ({ sessionId: tab.#session } = await tab.#browser.send('Target.attachToTarget', {
      targetId: tab.#target,
    }));
    await tab.#send('Network.enable');
    await tab.#send('Page.navigate', { url: address });
    return tab;
  }

  async #create(url) {
    return (await this.#browser.send('Target.createTarget', { url })).targetId;
  }

  #send(method, params = {}) {
    const id = this.#asked.size + 1;
    const answer = new Promise((resolve) => this.#asked.set(id, resolve));

    this.#browser.send('Target.sendMessageToTarget', {
      sessionId: this.#session,
      message: JSON.stringify({ id, method, params }),
    });
    return within(answer, `answer to ${method}`);
  }

  #read({ id, result, method, params }) {
    if (id) this.#asked.get(id)(result);
    else if (method === 'Network.webSocketFrameReceived')
      this.pictures += params.response.opcode === 2;
    else if (method === 'Network.webSocketCreated') this.connections++;
  }

  // The value of an expression there.
  async evaluate(expression) {
    return (
      await this.#send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
    ).result.value;
  }

  async until(what, expression) {
    const end = Date.now() + WATCHDOG;

    while (!(await this.evaluate(expression))) {
      assert.ok(Date.now() < end, `waited in the tab for ${what}`);
      await setTimeout(50);
    }
  }

  async hide() {
    this.#cover = await this.#create('about:blank');
    await this.#browser.send('Target.activateTarget', { targetId: this.#cover });
    await this.until('that it is hidden', 'document.hidden');
  }

  // Puts it to sleep, as browsers do with tabs that are hidden for long.
  freeze() {
    return this.#send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  wake() {
    return this.#send('Page.setWebLifecycleState', { state: 'active' });
  }

  show() {
    return this.#browser.send('Target.activateTarget', { targetId: this.#target });
  }

  async close() {
    for (const targetId of [this.#target, this.#cover])
      if (targetId) await this.#browser.send('Target.closeTarget', { targetId });
    await this.#browser.detach();
  }
}

// ---- What a page shows ----

// Waits until @test, a function for the page, returns something for @argument; returns that.
export async function until(page, what, test, argument) {
  try {
    const handle = await page.waitForFunction(test, argument, { timeout: WATCHDOG, polling: 50 });
    return await handle.jsonValue();
  } catch (error) {
    throw new Error(`waited for ${what}: ${error.message}`);
  }
}

// Waits until @part stands in the text of #@id, or no longer does.
export function untilText(page, id, part, there = true) {
  return until(
    page,
    `"${part}" in #${id}`,
    ([name, text, wanted]) => document.getElementById(name).textContent.includes(text) === wanted,
    [id, part, there],
  );
}

// Waits until #@id has @value as its data-@name.
export function untilData(page, id, name, value) {
  return until(
    page,
    `data-${name}="${value}" of #${id}`,
    (wanted) => document.getElementById(wanted[0]).dataset[wanted[1]] === wanted[2],
    [id, name, value],
  );
}

// The number in data-@name of #@id.
export function numberOf(page, id, name) {
  return page.locator(`#${id}`).evaluate((element, key) => Number(element.dataset[key]), name);
}

async function untilMore(page, id, name, more) {
  const before = await numberOf(page, id, name);

  await until(
    page,
    `${more} more than ${before} ${name} of #${id}`,
    (wanted) => Number(document.getElementById(wanted[0]).dataset[wanted[1]]) >= wanted[2],
    [id, name, before + more],
  );
}

export const countPictures = (page, name) => numberOf(page, `${name}-picture`, 'count');
export const untilPictures = (page, name, more = 1) =>
  untilMore(page, `${name}-picture`, 'count', more);
export const untilPoints = (page, more = 1) => untilMore(page, 'chart', 'points', more);

export async function readCounter(page, name) {
  const text = await page.locator(`[data-counter="${name}"]`).textContent();

  return Number(text.replaceAll(',', ''));
}

// A canvas in 8 × 8 pixels, red, green, blue and opacity of each.
export function shrink(page, id) {
  return page.locator(`#${id}`).evaluate((canvas) => {
    const small = new OffscreenCanvas(8, 8).getContext('2d');
    small.imageSmoothingQuality = 'high';
    small.drawImage(canvas, 0, 0, 8, 8);
    return [...small.getImageData(0, 0, 8, 8).data];
  });
}

// The mean difference of two pictures, in levels of 256.
export function differ(one, other) {
  assert.equal(one.length, other.length);
  return (
    one.reduce((sum, value, i) => sum + (i % 4 < 3 ? Math.abs(value - other[i]) : 0), 0) /
    (one.length * 0.75)
  );
}

// Every pixel of a canvas, as a text to compare.
export function readPixels(page, id) {
  return page.locator(`#${id}`).evaluate((canvas) => canvas.toDataURL());
}

// Waits until the picture at @name, in 8 × 8 pixels, is one that @accept takes.
export async function untilPicture(page, name, what, accept) {
  const end = Date.now() + WATCHDOG;

  for (;;) {
    await untilPictures(page, name);
    const picture = await shrink(page, `${name}-picture`);
    if (accept(picture)) return;
    assert.ok(Date.now() < end, `the picture at ${name} never was ${what}: ${picture}`);
  }
}
