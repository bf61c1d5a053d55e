// SPDX-License-Identifier: LGPL-2.1-or-later
// Sends the webcam's pictures to the program, one at a time: the next one is asked for when the
// program has taken the last and the webcam can have made another. A worker of webcam.js.
'use strict';

const LARGEST = { width: 960, height: 720 }; // models see less
const QUALITY = 0.85;

let socket;
let interval; // ms between two pictures
let dueAt = 0; // ms, of performance.now()
let hidden = false; // nobody sees the page
let waits = false; // for somebody to see it, with the next picture
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext('2d', { alpha: false });

function want() {
  waits = hidden;
  if (!waits) postMessage({ wanted: true });
}

function tellHidden() {
  if (hidden && socket.readyState === WebSocket.OPEN) socket.send('{"type":"hidden"}');
}

function rest(isHidden) {
  hidden = isHidden;
  tellHidden();
  if (!hidden && waits) want();
}

function wantWhenDue() {
  const now = performance.now();

  dueAt = Math.max(dueAt + interval, now);
  setTimeout(want, dueAt - now);
}

function encode(picture) {
  const scale = Math.min(1, LARGEST.width / picture.width, LARGEST.height / picture.height);

  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
}

async function send(picture) {
  const blob = picture && (await encode(picture));

  if (socket.readyState !== WebSocket.OPEN) return;
  if (hidden) waits = true;
  else if (blob) socket.send(blob);
  else wantWhenDue();
}

function open(address) {
  socket = new WebSocket(address);
  socket.onopen = () => {
    tellHidden();
    want();
  };
  socket.onmessage = wantWhenDue; // "taken"
  socket.onclose = ({ reason, wasClean }) =>
    postMessage({
      reason: `The program takes no pictures from this webcam${reason && `: ${reason}`}.`,
      wasClean,
    });
}

onmessage = ({ data }) => {
  if (data.address) {
    interval = data.interval;
    open(data.address);
  } else if ('hidden' in data) {
    rest(data.hidden);
  } else {
    send(data.picture);
  }
};
