// The overlay: hands what the Watch has to the painter, the strip and the legend.

import { el } from "./dom.js";
import { classOf } from "./filters.js";
import {
  CLICK_LAYERS, POINT_LAYERS, cellsOf, countOf, difference, foldRow, hottest, marksOf, shares, smooth,
} from "./heat.js";
import { Panel } from "./panel.js";
import { Painter } from "./painter.js";
import { Service } from "./service.js";
import { Strip } from "./strip.js";
import { dress } from "./style.js";
import { Watch } from "./watch.js";

const TAG = "live-heat-map";
const FOLDS = [0.75, 0.5, 0.25];
const SHOWN_FIRST = ["click", "rage", "dead", "view", "reach"];
const ADDRESS_MS = 500;

const ownVersion = () => document.querySelector('meta[name="heat-version"]')?.content ?? "";

class Overlay {
  constructor({ service, site, page }) {
    this.choice = {
      site, page, window: "live", back: 0, class: classOf(innerWidth), audience: "human", version: "", against: "",
    };
    this.layers = new Set(SHOWN_FIRST);
    this.#build();
    this.watch = new Watch(new Service(service), this.choice, {
      pictured: (clicks) => this.#pictured(clicks),
      told: () => this.#tell(),
    });
    this.watch.start();
    this.timer = setInterval(() => this.#followAddress(), ADDRESS_MS);
  }

  close() {
    clearInterval(this.timer);
    this.watch.close();
    this.painter.stop();
    this.host.remove();
  }

  #build() {
    this.host = el(TAG, { "data-heat-ignore": "" });
    const shadow = this.host.attachShadow({ mode: "open" });
    dress(shadow);
    document.documentElement.append(this.host);
    this.painter = new Painter(shadow, this.host, (took) => this.#painted(took));
    this.strip = new Strip(shadow, (share) => this.#go(share));
    this.panel = new Panel(shadow, this.choice, this.layers, {
      chosen: () => this.watch.chosen(),
      layered: () => this.#show(),
      closed: () => this.close(),
    });
  }

  // Some pages draw themselves and change their address without being loaded again.
  #followAddress() {
    if (location.pathname === this.choice.page) return;
    this.choice.page = location.pathname;
    this.watch.chosen();
  }

  #pictured(clicks) {
    this.#show();
    if (clicks.length && this.layers.has("click")) this.painter.flash(clicks);
  }

  #show() {
    const { a, b, bands } = this.watch;
    const signed = b !== null;
    const has = (name) => this.layers.has(name);
    const heat = (values, isSigned) => ({ values, peak: hottest(values), signed: isSigned });
    const view = heat(signed ? difference(a, b) : a.viewMs, signed);
    this.painter.show({
      signed,
      marks: Object.fromEntries(CLICK_LAYERS.map((name) => [name, has(name) ? this.#marks(name) : []])),
      view: has("view") && view,
      now: has("now") && heat(bands, false),
      move: has("move") && heat(smooth(cellsOf(a, b, "move")), signed),
      folds: has("reach") ? this.#folds() : [],
    });
    this.strip.show({ view, now: bands, reach: shares(a) });
    this.#tell();
  }

  #marks(name) {
    const { a, b } = this.watch;
    if (!b) return marksOf(a, name);
    const perVisit = ({ visits }) => 1 / Math.max(visits, 1);
    return [...marksOf(a, name, -perVisit(a)), ...marksOf(b, name, perVisit(b))];
  }

  #folds() {
    return FOLDS.flatMap((share) => {
      const row = foldRow(this.watch.a, share);
      return row === null ? [] : [{ row, text: `${share * 100} % of visits got here` }];
    });
  }

  #tell() {
    const { a, b } = this.watch;
    const counts = Object.fromEntries(POINT_LAYERS.map((name) => [name, countOf(a, name)]));
    this.panel.show(this.watch, {
      counts, visits: a.visits, visitsAgainst: b?.visits ?? 0,
      ownClass: classOf(innerWidth), ownVersion: ownVersion(), nowMs: this.watch.nowMs(),
    });
  }

  // Heard by whoever measures: what the frame took, and the clicks that came since the start.
  #painted(took) {
    const { root, height } = this.painter.places;
    this.strip.place(-root.top / root.height, (height - root.top) / root.height);
    const detail = { took, clicks: this.watch.heard };
    this.host.dispatchEvent(new CustomEvent("painted", { detail }));
  }

  #go(share) {
    const inner = document.querySelector("[data-heat-scroll]") ?? document.scrollingElement;
    inner.scrollTo({ top: share * inner.scrollHeight - inner.clientHeight / 2, behavior: "smooth" });
  }
}

let shown = null;

// A second start takes the overlay off again, so that a bookmark is a switch.
export function start(place) {
  if (shown?.host.isConnected) {
    shown.close();
    shown = null;
  } else {
    shown = new Overlay(place);
  }
  return shown;
}
