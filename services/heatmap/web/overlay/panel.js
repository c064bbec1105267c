// The legend: what is shown, from when, of whom, and the choices. It knows nothing of the painting.

import { Controls, versionName } from "./controls.js";
import { count, el, setText } from "./dom.js";
import { NAMELESS, timeOf, widthsOf } from "./filters.js";
import { COLOURS } from "./scales.js";

export const LAYERS = [
  ["click", "Clicks"], ["rage", "Rage clicks"], ["dead", "Dead clicks"], ["move", "Pointer"],
  ["now", "On screen now"], ["view", "Seconds on screen"], ["reach", "How far people got"],
];

const BEHIND = 50; // batches; fewer are on the way at any moment
const NARROW_PX = 640;

export class Panel {
  // choice and layers: what is chosen; they are changed here, and chosen or layered is called.
  constructor(shadow, choice, layers, { chosen, layered, closed }) {
    Object.assign(this, { choice, layers, layered });
    this.status = el("p", { class: "status" });
    this.away = el("p", { class: "away", role: "alert" });
    this.notes = el("ul", { class: "notes" });
    this.counts = new Map();
    this.controls = new Controls(choice, chosen);
    const { windows, scrubber, filters } = this.controls;
    this.body = el("div", { class: "body" }, this.status, this.away, this.notes, windows, scrubber,
      this.#layers(), filters);
    this.box = el("section", { class: "panel", "aria-label": "Live heat map" }, this.#head(closed), this.body);
    shadow.append(this.box);
  }

  #head(closed) {
    const fold = el("button", { type: "button", class: "plain", title: "Fold the legend" });
    const turn = (isFolded) => {
      this.body.hidden = isFolded;
      fold.textContent = isFolded ? "+" : "–";
      fold.setAttribute("aria-expanded", String(!isFolded));
    };
    fold.addEventListener("click", () => turn(!this.body.hidden));
    // On a phone it would cover what it explains.
    turn(innerWidth < NARROW_PX);
    const close = el("button", { type: "button", class: "plain", "aria-label": "Take the heat map off the page" }, "×");
    close.addEventListener("click", closed);
    this.dot = el("span", { class: "dot" });
    return el("header", {}, this.dot, el("h2", {}, "Live heat map"), fold, close);
  }

  #layers() {
    const list = el("fieldset", {}, el("legend", {}, "Shown"));
    for (const [name, text] of LAYERS) {
      const box = el("input", { type: "checkbox", value: name });
      box.checked = this.layers.has(name);
      box.addEventListener("change", () => {
        this.layers[box.checked ? "add" : "delete"](name);
        this.layered();
      });
      const swatch = el("i", { class: "swatch" });
      swatch.style.background = COLOURS[name] ? `linear-gradient(90deg, ${COLOURS[name].join()})` : "";
      this.counts.set(name, el("b", {}));
      list.append(el("label", { class: "layer" }, box, swatch, el("span", {}, text), this.counts.get(name)));
    }
    return list;
  }

  // watch: what is known of the service; seen: what of the page, {counts, visits, ...}.
  show(watch, seen) {
    const { choice } = this;
    const back = choice.window === "live" && choice.back;
    this.controls.show(watch.versions, watch.nowMs());
    this.dot.dataset.state = watch.away ? "away" : choice.window === "live" && !back ? "live" : "still";
    setText(this.status, this.#sentence(watch, seen));
    setText(this.away, watch.away ? "Away: the service does not answer. What is shown may be old." : "");
    const remarks = this.#remarks(watch, seen);
    if (this.notes.textContent !== remarks.join("")) {
      this.notes.replaceChildren(...remarks.map((text) => el("li", {}, text)));
    }
    for (const [name, n] of Object.entries(seen.counts)) this.counts.get(name).textContent = n.toLocaleString("en-GB");
  }

  #sentence({ here }, { visits, visitsAgainst }) {
    const { against } = this.choice;
    const visited = !against ? count(visits, "visit", "visits")
      : `${count(visits, "visit", "visits")} against ${visitsAgainst.toLocaleString("en-GB")}`;
    return `${timeOf(this.choice)} · ${visited} · ${count(here, "person", "people")} here now`;
  }

  #remarks({ trouble, behind, versions }, { ownClass, ownVersion }) {
    const others = versions.filter((its) => its !== ownVersion);
    const { class: shown, version, against } = this.choice;
    const remarks = [];
    if (trouble) remarks.push(trouble);
    if (shown === ownClass) remarks.push(`Of windows like yours: ${widthsOf(ownClass)}.`);
    else remarks.push(`Not only of windows like yours (${ownClass}): places are less exact.`);
    if (against) {
      remarks.push(`Per visit: orange where ${versionName(against)} has more, blue where ${version ? versionName(version) : "all"} has.`);
    } else if (version && version !== (ownVersion || NAMELESS)) {
      remarks.push(`You see version ${versionName(ownVersion)} of the page, the data are of ${versionName(version)}.`);
    } else if (!version && others.length) {
      remarks.push(`You see version ${versionName(ownVersion)}; the data are also of ${others.map(versionName).join(", ")}.`);
    }
    if (behind > BEHIND) remarks.push(`${count(behind, "batch is", "batches are")} still on the way.`);
    return remarks;
  }
}

