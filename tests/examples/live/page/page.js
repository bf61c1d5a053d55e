// SPDX-License-Identifier: LGPL-2.1-or-later
// The page of the live example: leads what the program says to the parts of the page, and what
// somebody does to the program. Both speak by one WebSocket, /live; a webcam has another, /camera.

import { CameraChoice } from './choose-camera.js';
import { Chart } from './chart.js';
import { Controls } from './controls.js';
import { Counters } from './counters.js';
import { Link } from './link.js';
import { Notices } from './notices.js';
import { Picture } from './picture.js';
import { Status } from './status.js';

const STAND_IN = 'local/demo'; // the app for which tests/run-demo starts a server with effects
const socketsAt = location.origin.replace(/^http/, 'ws');
const send = (message) => link.send(message);
const pictures = ['input', 'result'].map(
  (name, kind) => new Picture(name, () => send({ type: 'shown', kind })),
);
const status = new Status(() => send({ type: 'reconnect' }));
const chart = new Chart();
const counters = new Counters();
const controls = new Controls(send);
const notices = new Notices();
const camera = new CameraChoice(`${socketsAt}/camera`, send);

const readers = {
  state(message) {
    status.showState(message);
    controls.show(message);
    camera.show(message);
    pictures[0].origin = camera.describe(message.camera);
    document.getElementById('stand-in').hidden =
      !message.local || message.app !== STAND_IN;
    document.getElementById('launch').textContent = message.launch;
  },
  sample(message) {
    status.showLimit(message.limit);
    chart.add(message);
    counters.show(message.counters);
  },
  notice(message) {
    notices.add(message);
  },
};

const link = new Link(`${socketsAt}/live`, {
  opened() {
    for (const picture of pictures) picture.restart();
    notices.restart();
    camera.reach();
  },
  text(message) {
    // What a newer program may say besides is no concern of ours.
    readers[message.type]?.(message);
  },
  picture(kind, blob) {
    pictures[kind]?.receive(blob);
  },
  slept() {
    camera.interrupt();
  },
  lost(delay, reason) {
    status.showLost(delay, reason);
    camera.interrupt();
  },
});

document.getElementById('copy').addEventListener('click', async () => {
  const command = document.getElementById('launch');
  const told = document.getElementById('copied');

  try {
    await navigator.clipboard.writeText(command.textContent);
    told.textContent = 'Copied.';
  } catch {
    // Not every browser lets a page write there: the command is selected for the user to copy.
    getSelection().selectAllChildren(command);
    told.textContent = 'Selected: now copy it with Ctrl+C.';
  }
  setTimeout(() => (told.textContent = ''), 4000);
});
