// Undo and redo of a text, which outlive a reload of the page.

const MOST = 200;

export class History {
  constructor(name, first) {
    this.name = name;
    const kept = read(name);
    // What stands in the address counts: a link may lead elsewhere than the last visit did.
    if (kept && kept.states[kept.at] === first) Object.assign(this, kept);
    else Object.assign(this, { states: [first], at: 0 });
  }

  get current() { return this.states[this.at]; }
  get canUndo() { return this.at > 0; }
  get canRedo() { return this.at < this.states.length - 1; }

  add(state) {
    if (state === this.current) return;
    this.states = [...this.states.slice(0, this.at + 1), state].slice(-MOST);
    this.at = this.states.length - 1;
    this.#keep();
  }

  // The same step, said better: as the service writes it.
  amend(state) {
    this.states[this.at] = state;
    this.#keep();
  }

  undo() {
    if (this.canUndo) this.at -= 1;
    this.#keep();
    return this.current;
  }

  redo() {
    if (this.canRedo) this.at += 1;
    this.#keep();
    return this.current;
  }

  #keep() {
    try {
      sessionStorage.setItem(this.name, JSON.stringify({ states: this.states, at: this.at }));
    } catch { /* not allowed, or full: then undo lasts as long as the page */ }
  }
}

function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}
