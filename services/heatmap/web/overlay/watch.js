// Keeps what is chosen in view: the stream of the last minute, or what is asked for instead.
// Overlay and dashboard show the same Watch, each in its own way.

import { STEP_MS, spanOf } from "./filters.js";
import { LiveWindow, ROWS, clicksIn, emptyPicture, pictureOf } from "./heat.js";
import { Trouble } from "./service.js";

const AGAIN_MS = { live: 2000, "1h": 10_000, today: 30_000 };
const SLIDE_MS = 1000;
const LOOK_MS = 5000;
const PAUSE_MS = 120;

export class Watch {
  #live = new LiveWindow();
  #stop = () => {};
  #filters = "";
  #asked = 0;
  #again = 0;
  #timers = [];

  // choice: {site, page, window, back, class, audience, version, against}, changed by its owner.
  // pictured(clicks): there is another picture, with these clicks new; told(): anything else.
  constructor(service, choice, { pictured, told }) {
    Object.assign(this, { service, choice, pictured, told });
    Object.assign(this, { here: 0, bands: new Array(ROWS).fill(0), away: false, trouble: "", behind: 0, versions: [] });
    this.a = emptyPicture();
    this.b = null;
    // Clicks that the stream told of since the page was opened.
    this.heard = 0;
  }

  start() {
    this.#timers = [setInterval(() => this.#slide(), SLIDE_MS), setInterval(() => this.#look(), LOOK_MS)];
    this.chosen();
    this.#look();
  }

  close() {
    this.#stop();
    clearTimeout(this.#again);
    for (const timer of this.#timers) clearInterval(timer);
  }

  // The choice is another one now.
  chosen() {
    this.#listen();
    clearTimeout(this.#again);
    this.#asked += 1;
    if (this.isStreaming) {
      this.b = null;
      this.a = this.#live.picture();
      this.pictured([]);
    } else {
      this.#again = setTimeout(() => this.#ask(), PAUSE_MS);
    }
    this.told();
  }

  // The stream itself is what is shown; anything else is asked for.
  get isStreaming() {
    const { window, back, against } = this.choice;
    return window === "live" && !back && !against;
  }

  nowMs() {
    return this.#live.now();
  }

  #visits() {
    const { site, page, class: name, audience, version } = this.choice;
    return { site, page, class: name, audience, version };
  }

  #listen() {
    const filters = this.#visits();
    if (this.#filters === JSON.stringify(filters)) return;
    this.#filters = JSON.stringify(filters);
    this.#stop();
    this.#live = new LiveWindow();
    this.#stop = this.service.live(filters, {
      snapshot: (message) => { this.#live.replace(message); this.#heard(message, []); },
      delta: (message) => {
        this.heard += clicksIn(message);
        this.#heard(message, this.#live.add(message));
      },
      away: (isAway) => this.#isAway(isAway),
      refused: () => this.#explain(),
    });
  }

  #heard({ here = this.here, bands = this.bands }, clicks) {
    Object.assign(this, { here, bands, away: false });
    if (this.isStreaming) Object.assign(this, { a: this.#live.picture(), trouble: "" });
    this.pictured(this.isStreaming ? clicks.map((spot) => this.#mark(spot)) : []);
  }

  #mark([, element, p, q, cell]) {
    return { selector: this.#live.selector(element) ?? null, p, q, cell };
  }

  #slide() {
    if (!this.isStreaming || !this.#live.slide()) return;
    this.a = this.#live.picture();
    this.pictured([]);
  }

  async #look() {
    try {
      const [{ behind }, pages] = await Promise.all([this.service.lag(), this.service.pages(this.choice.site)]);
      const variants = pages.find(({ page }) => page === this.choice.page)?.variants ?? [];
      this.versions = [...new Set(variants.map(({ version }) => version))].sort();
      Object.assign(this, { pages, behind: behind ?? 0, away: false });
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      this.away = trouble.status === undefined;
    }
    this.told();
  }

  // A stream tells nothing of why it was refused; the same question as a range does.
  async #explain() {
    try {
      await this.service.heat({ ...this.#visits(), last: "60s" });
      this.trouble = "";
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      this.trouble = trouble.message;
    }
    this.told();
  }

  #isAway(away) {
    if (this.away === away) return;
    this.away = away;
    this.told();
  }

  async #ask() {
    const mine = this.#asked;
    const { version, against, window, back } = this.choice;
    const filters = { ...this.#visits(), ...spanOf(this.choice, this.nowMs()) };
    try {
      const [a, b] = await Promise.all([
        this.service.heat({ ...filters, version }),
        against ? this.service.heat({ ...filters, version: against }) : null,
      ]);
      if (mine !== this.#asked) return;
      Object.assign(this, { a: pictureOf(a), b: b && pictureOf(b), trouble: "" });
      this.pictured([]);
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      if (mine !== this.#asked) return;
      this.trouble = trouble.message;
      this.told();
    }
    this.#again = setTimeout(() => this.#ask(), back ? STEP_MS : AGAIN_MS[window]);
  }
}
