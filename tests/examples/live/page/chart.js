// SPDX-License-Identifier: LGPL-2.1-or-later
// The strip chart of the last minute, and the table of figures below it. The colours stand in the
// style sheet. Each line has a pattern of its own and its name at its end, so that nothing rests on
// colour alone.

const SPAN = 60; // seconds
const GAP = 4; // seconds without a new result that no line crosses
const CALM = matchMedia('(prefers-reduced-motion: reduce)');
const CALM_PERIOD = 1000; // ms between two pictures of the chart where motion is not wanted
const TELL_PERIOD = 5000; // ms between two texts for those who do not see it
const SERIES = [
  { name: 'age', title: 'age', dash: [] },
  { name: 'round-trip', title: 'round trip', dash: [7, 3] },
  { name: 'model', title: 'model', dash: [2, 3] },
];
const NONE = { last: null, p50: null, p95: null };
const UNKNOWN = Object.fromEntries(SERIES.map(({ name }) => [name, NONE]));
const LINE = 14; // pixels that a line of text needs
const BAR = 4; // pixels, width of a bar beside the plot
const MARGIN = 24; // pixels for the bars, before the names

// The smallest of 1, 2, 5, 10, 20, 50… that is not below @value.
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));

  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

function milliseconds(value) {
  return value === null ? '–' : String(Math.round(value));
}

// What the line shows: the newest result's, or of late where that is not known.
function measure(sample, name) {
  return sample[name].last ?? sample[name].p50;
}

// Spreads labels that would cover each other, from the top down; each is {y}.
function spread(labels, lowest) {
  labels.sort((a, b) => a.y - b.y);
  for (let i = 1; i < labels.length; i++)
    labels[i].y = Math.max(labels[i].y, labels[i - 1].y + LINE);
  for (let i = labels.length - 1, limit = lowest; i >= 0; i--, limit -= LINE)
    labels[i].y = Math.min(labels[i].y, limit);
}

export class Chart {
  #canvas = document.getElementById('chart');
  #context = this.#canvas.getContext('2d');
  #samples = []; // of the last minute, oldest first
  #answered = -1; // requests so far
  #drawnAt = 0;
  #toldAt = -TELL_PERIOD;

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
    matchMedia('(forced-colors: active)').addEventListener('change', () => this.#draw());
    document.addEventListener('visibilitychange', () => this.#draw());
  }

  // @message: a sample of the program.
  add(message) {
    const { time, model, counters } = message;

    // The program was started anew.
    if (time < this.#samples.at(-1)?.time) this.#samples = [];
    // The figures stay as they are while no answer comes: then they say nothing of now.
    if (counters.answered === this.#answered) this.#samples.push({ time, ...UNKNOWN });
    else this.#samples.push({ ...message, model: { ...NONE, last: model } });
    this.#answered = counters.answered;
    while (this.#samples[0].time < time - SPAN) this.#samples.shift();
    this.#canvas.dataset.points = this.#samples.length;
    this.#show();
  }

  #show() {
    if (document.hidden) return;
    this.#fillTable();
    if (performance.now() - this.#toldAt >= TELL_PERIOD) this.#tell();
    if (performance.now() - this.#drawnAt >= (CALM.matches ? CALM_PERIOD : 0)) this.#draw();
  }

  // What the newest result told of @name.
  #findNewest(name) {
    const newest = this.#samples.findLast((sample) => measure(sample, name) !== null);
    const isOld = !newest || this.#samples.at(-1).time - newest.time > GAP;

    return isOld ? NONE : newest[name];
  }

  #fillTable() {
    for (const { name } of SERIES) {
      const { last, p50, p95 } = this.#findNewest(name);
      const cells = document.querySelectorAll(`#figures [data-series=${name}] td`);
      cells[0].textContent = milliseconds(last);
      if (name === 'model') continue;
      cells[1].textContent = milliseconds(p50);
      cells[2].textContent = milliseconds(p95);
    }
  }

  #tell() {
    const [age, roundTrip, model] = SERIES.map(({ name }) => this.#findNewest(name));
    const describe = (words, { last, p50, p95 }) =>
      `${words} ${milliseconds(last)} milliseconds, median ${milliseconds(p50)}, ` +
      `95th percentile ${milliseconds(p95)}`;
    const figures = [
      describe('Age', age),
      describe('round trip', roundTrip),
      `model ${milliseconds(model.last)} milliseconds`,
    ];

    this.#toldAt = performance.now();
    this.#canvas.setAttribute('aria-label', `Chart of the last minute. ${figures.join('; ')}.`);
  }

  // ---- Drawing; lengths are CSS pixels ----

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = window.devicePixelRatio;

    if (document.hidden || !width) return;
    this.#drawnAt = performance.now();
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    this.#context.scale(scale, scale);
    this.#drawIn(this.#findPlace(width, height));
  }

  // Where things go: the plot's edges, and how a sample's time and a duration become x and y.
  #findPlace(width, height) {
    const style = getComputedStyle(this.#canvas);
    const room = this.#measure(style.font, 'round trip 0000');
    const [left, right, top, bottom] = [42, width - room, 10, height - 24];
    const now = this.#samples.at(-1)?.time ?? 0;
    const highest = Math.max(
      40,
      ...this.#samples.flatMap((sample) =>
        SERIES.flatMap(({ name }) => [sample[name].last ?? 0, sample[name].p95 ?? 0]),
      ),
    );
    const step = roundUp(highest / 5);
    const most = step * Math.ceil(highest / step);

    return {
      left,
      right,
      top,
      bottom,
      step,
      most,
      color: (name) => style.getPropertyValue(`--${name}`),
      font: style.font,
      x: (time) => right - ((now - time) / SPAN) * (right - left),
      y: (value) => bottom - (value / most) * (bottom - top),
    };
  }

  #measure(font, text) {
    this.#context.font = font;
    return this.#context.measureText(text).width + MARGIN;
  }

  #drawIn(place) {
    this.#context.font = place.font;
    this.#context.textBaseline = 'middle';
    this.#drawGrid(place);
    SERIES.forEach((series, i) => this.#drawSpread(place, series, i));
    for (const series of [...SERIES].reverse()) this.#drawLine(place, series);
    this.#drawLabels(place);
  }

  #drawGrid(place) {
    const { left, right, bottom, step, most, color, y } = place;
    const context = this.#context;

    context.fillStyle = color('faint');
    context.strokeStyle = color('grid');
    context.textAlign = 'right';
    for (let value = 0; value <= most; value += step) {
      context.fillText(value, left - 8, y(value));
      context.beginPath();
      context.moveTo(left, Math.round(y(value)) + 0.5);
      context.lineTo(right, Math.round(y(value)) + 0.5);
      context.stroke();
    }
    context.fillText('now', right, bottom + 15);
    context.textAlign = 'left';
    context.fillText(`${SPAN} s ago`, left, bottom + 15);
    context.textAlign = 'center';
    if (right - left > 260) context.fillText(`${SPAN / 2} s`, (left + right) / 2, bottom + 15);
  }

  // The samples that have a @value, in runs without a gap.
  #findRuns(value) {
    const runs = [];
    let before = -Infinity;

    for (const sample of this.#samples) {
      if (value(sample) === null) continue;
      if (sample.time - before > GAP) runs.push([]);
      runs.at(-1).push(sample);
      before = sample.time;
    }
    return runs;
  }

  #trace({ x, y }, samples, value) {
    for (const sample of samples) this.#context.lineTo(x(sample.time), y(value(sample)));
  }

  // A bar beside the plot from p50 to p95.
  #drawSpread({ right, color, y }, { name }, position) {
    const { p50, p95 } = this.#findNewest(name);

    if (p50 === null || p95 === null) return;
    this.#context.fillStyle = color(name);
    this.#context.fillRect(
      right + 5 + position * (BAR + 3),
      y(p95),
      BAR,
      Math.max(y(p50) - y(p95), 1),
    );
  }

  #drawLine(place, { name, dash }) {
    const value = (sample) => measure(sample, name);
    const context = this.#context;

    context.save();
    context.strokeStyle = place.color(name);
    context.lineWidth = 2;
    context.lineJoin = 'round';
    context.setLineDash(dash);
    for (const run of this.#findRuns(value)) {
      context.beginPath();
      // A dot where a result stands alone.
      context.moveTo(place.x(run[0].time) - 2, place.y(value(run[0])));
      this.#trace(place, run, value);
      context.stroke();
    }
    context.restore();
  }

  #drawLabels({ right, top, bottom, color, y }) {
    const labels = [];

    for (const { name, title } of SERIES) {
      const { last, p50 } = this.#findNewest(name);
      if (last === null && p50 === null) continue;
      const text =
        last === null ? `${title} p50 ${milliseconds(p50)}` : `${title} ${milliseconds(last)}`;
      labels.push({ text, color: color(name), y: Math.max(y(last ?? p50), top + LINE / 2) });
    }
    spread(labels, bottom);
    this.#context.textAlign = 'left';
    for (const label of labels) {
      this.#context.fillStyle = label.color;
      this.#context.fillText(label.text, right + MARGIN, label.y);
    }
  }
}
