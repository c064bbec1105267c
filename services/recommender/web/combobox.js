// A text field with suggestions, by the ARIA combobox pattern: arrows, Enter, Escape, pointer.

const PAUSE_MS = 120;

// find(text) gives the choices; show(choice) draws one into a list item; choose(choice) acts on it.
export class Combobox {
  #choices = [];
  #active = -1;
  #asked = 0;
  #timer = 0;

  constructor(input, list, { find, show, choose, none }) {
    Object.assign(this, { input, list, find, show, choose, none });
    list.setAttribute("role", "listbox");
    // Browsers stop at a list that scrolls when Tab is pressed; this one belongs to its field.
    list.tabIndex = -1;
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-controls": list.id,
      "aria-expanded": "false",
    })) input.setAttribute(name, value);
    input.addEventListener("input", () => this.#soon());
    input.addEventListener("focus", () => { input.select(); this.#ask(""); });
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.#key(event));
    // The pointer's press must not take the focus away before its click arrives.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => this.#clicked(event));
  }

  close() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    this.#active = -1;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  #soon() {
    clearTimeout(this.#timer);
    // What is listed no longer fits what is typed: Enter must not take it.
    this.#choices = [];
    this.#timer = setTimeout(() => this.#ask(this.input.value.trim()), PAUSE_MS);
  }

  async #ask(text) {
    const mine = ++this.#asked;
    let choices = [];
    let note = this.none;
    try {
      choices = await this.find(text);
    } catch (trouble) {
      note = trouble.message;
    }
    if (mine === this.#asked) this.#open(choices, note);
  }

  #open(choices, note) {
    this.#choices = choices;
    this.#active = -1;
    const rows = choices.map((choice, i) => this.#row(this.show(choice), i));
    this.list.replaceChildren(...(rows.length ? rows : [this.#note(note)]));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.input.removeAttribute("aria-activedescendant");
  }

  #row(row, i) {
    row.id = `${this.list.id}-${i}`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    row.dataset.choice = i;
    return row;
  }

  #note(text) {
    const row = document.createElement("li");
    row.className = "note";
    row.textContent = text;
    return row;
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.list.hidden) this.#ask(this.input.value.trim());
    else if (step) this.#move(step);
    else if (event.key === "Enter" && !this.list.hidden) this.#take(Math.max(this.#active, 0));
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }

  #move(step) {
    const n = this.#choices.length;
    if (!n) return;
    this.#active = this.#active < 0 && step < 0 ? n - 1 : (this.#active + step + n) % n;
    Array.from(this.list.children).forEach((row, i) => {
      row.setAttribute("aria-selected", String(i === this.#active));
    });
    const row = this.list.children[this.#active];
    row.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", row.id);
  }

  #clicked(event) {
    const row = event.target.closest("[data-choice]");
    if (row) this.#take(Number(row.dataset.choice));
  }

  #take(i) {
    const choice = this.#choices[i];
    if (choice === undefined) return;
    this.close();
    this.input.blur();
    this.choose(choice);
  }
}
