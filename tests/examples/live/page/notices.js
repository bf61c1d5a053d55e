// SPDX-License-Identifier: LGPL-2.1-or-later
// What happened, in the program's words. The newest few; one that comes again is counted instead.

const MOST = 6;
const LEVELS = { error: 'Error', warning: 'Warning', info: 'Note' };
const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

export class Notices {
  #list = document.getElementById('notices');
  #none = document.getElementById('no-notices');

  // A new connection begins with those that the program still knows.
  restart() {
    this.#list.replaceChildren();
    this.#none.hidden = false;
  }

  add({ level, text }) {
    const last = this.#list.lastElementChild;

    this.#none.hidden = true;
    if (last?.dataset.text === text) this.#count(last);
    else this.#append(level, text);
    while (this.#list.children.length > MOST) this.#list.firstElementChild.remove();
  }

  #append(level, text) {
    const notice = document.createElement('p');
    const kind = document.createElement('strong');

    kind.textContent = `${LEVELS[level] ?? level}: `;
    notice.append(kind, text, document.createElement('small'));
    Object.assign(notice.dataset, { level, text, times: 1 });
    notice.lastChild.textContent = time.format(new Date());
    this.#list.append(notice);
  }

  #count(notice) {
    notice.dataset.times++;
    notice.lastChild.textContent = `${time.format(new Date())}, ${notice.dataset.times} times`;
  }
}
