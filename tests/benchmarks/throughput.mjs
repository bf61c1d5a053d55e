// node throughput.mjs ws://127.0.0.1:PORT JPEG FRAMES: the JavaScript client sending the same bytes, two
// requests under way. Prints CPU microseconds a frame of this process and frames a second.
import { readFileSync } from "node:fs";
import { createFalClient } from "@fal-ai/client";
import WebSocket from "ws";

const [, , uri, path, count] = process.argv;
const frames = Number(count);
const warm = Math.max(Math.floor(frames / 10), 1);
const image = new Uint8Array(readFileSync(path));

globalThis.WebSocket = class extends WebSocket {
  constructor(url, ...rest) {
    super(String(url).replace(/^wss:\/\/fal\.run/, uri), ...rest);
  }
};

const fal = createFalClient();
let sent = 0;
let received = 0;
let began;
let beganCpu;

const connection = fal.realtime.connect("bench/app", {
  throttleInterval: 0,
  tokenProvider: async () => "token",
  onResult() {
    received++;
    if (received === warm) {
      began = process.hrtime.bigint();
      beganCpu = process.cpuUsage();
    }
    if (received === frames) finish();
    else if (sent < frames) send();
  },
  onError(error) {
    console.error(error);
    process.exit(1);
  },
});

function send() {
  sent++;
  connection.send({ image_bytes: image, request_id: String(sent) });
}

function finish() {
  const cpu = process.cpuUsage(beganCpu);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const counted = frames - warm;
  console.log(((cpu.user + cpu.system) / counted).toFixed(1), (counted / seconds).toFixed(1));
  process.exit(0);
}

send();
const second = setInterval(() => {
  // The second request follows once the connection stands: what is sent before it replaces.
  if (received === 0) return;
  clearInterval(second);
  if (sent < frames) send();
}, 1);
