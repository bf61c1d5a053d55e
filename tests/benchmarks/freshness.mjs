// node freshness.mjs URI JPEG FPS SECONDS THROTTLE OUTPUT: fal's JavaScript client behind the same
// camera as bench-freshness, with the same output; what it does not know is left empty.
import { readFileSync, writeFileSync } from "node:fs";
import { createFalClient } from "@fal-ai/client";
import WebSocket from "ws";

const [, , uri, path, fps, seconds, throttle, output] = process.argv;
const image = new Uint8Array(readFileSync(path));
const interval = 1000 / Number(fps);
const frames = Math.max(Math.floor(Number(seconds) * Number(fps)), 1);
const arrivals = [];
const lines = [];

globalThis.WebSocket = class extends WebSocket {
  constructor(url, ...rest) {
    super(String(url).replace(/^wss:\/\/fal\.run/, uri), ...rest);
  }
};

// The clock of g_get_monotonic_time().
const now = () => Number(process.hrtime.bigint() / 1000n);

const connection = createFalClient().realtime.connect("bench/app", {
  throttleInterval: Number(throttle),
  tokenProvider: async () => "token",
  onResult(result) {
    const id = result.request_id;
    lines.push(`${id},${arrivals[id]},${id},,,${now()}\n`);
  },
  onError(error) {
    console.error(error);
    process.exit(1);
  },
});

function finish() {
  const cpu = process.cpuUsage(beganCpu);
  const waits = process.resourceUsage().voluntaryContextSwitches;
  writeFileSync(output, lines.join(""));
  const times = { begin_us: began, end_us: now(), cpu_us: cpu.user + cpu.system };
  console.log(JSON.stringify({ frames, ...times, waits: { node: waits } }));
  process.exit(0);
}

function film(number) {
  if (number === frames) return finish();
  arrivals[number] = now();
  connection.send({ image_bytes: image, request_id: String(number) });
  const next = began + (number + 1) * interval * 1000;
  setTimeout(film, Math.max((next - now()) / 1000, 0), number + 1);
}

const beganCpu = process.cpuUsage();
const began = now();
film(0);
