// SPDX-License-Identifier: LGPL-2.1-or-later
// The table of counters.

const ROWS = [
  [
    '',
    'counters',
    {
      'frames-in': 'came from the camera',
      sent: 'went to the model',
      answered: 'were answered',
      shown: 'were shown',
      'in-flight': 'are under way now',
    },
  ],
  [
    'Not sent, because',
    'dropped',
    {
      throttled: 'the next request was not due yet',
      replaced: 'a newer picture took the place',
      offline: 'there was no connection',
      flushed: 'the stream was stopped',
      invalid: 'the picture was broken',
    },
  ],
  [
    'Sent, but',
    'counters',
    {
      failed: 'the model could not use it',
      expired: 'no answer came in time',
      lost: 'the connection broke',
      late: 'the answer came too late',
    },
  ],
];
const format = new Intl.NumberFormat('en');

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);

  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export class Counters {
  #cells = []; // [cell, group, name]

  constructor() {
    const table = document.getElementById('counters');

    for (const [title, group, rows] of ROWS) {
      const body = table.appendChild(element('tbody', ''));
      if (title) body.insertRow().append(element('th', title, { scope: 'rowgroup', colspan: 2 }));
      for (const [name, words] of Object.entries(rows)) {
        const cell = element('td', '–', { 'data-counter': name });
        body.insertRow().append(element('th', words, { scope: 'row' }), cell);
        this.#cells.push([cell, group, name]);
      }
    }
  }

  show(counters) {
    if (document.hidden) return;
    for (const [cell, group, name] of this.#cells) {
      const value = (group === 'dropped' ? counters.dropped : counters)[name] ?? 0;
      cell.textContent = format.format(value);
      cell.classList.toggle('none', value === 0);
    }
  }
}
