// The controls of what is shown: the time, and whose visits. Overlay and dashboard have the same.

import { ago, clock, el, setOptions, setText } from "./dom.js";
import { AUDIENCES, BACK_STEPS, CLASSES, NAMELESS, STEP_MS, WINDOWS } from "./filters.js";

export const versionName = (version) => (version && version !== NAMELESS ? version : "without a name");

const labelled = (text, control) => el("label", { class: "row" }, el("span", {}, text), control);

export class Controls {
  // choice: what is chosen; it is changed here, and chosen() is called.
  constructor(choice, chosen) {
    Object.assign(this, { choice, chosen });
    this.windows = this.#windows();
    this.scrubber = this.#scrubber();
    this.filters = this.#filters();
  }

  #windows() {
    const group = el("div", { class: "windows", role: "radiogroup", "aria-label": "Time" });
    for (const [value, text] of WINDOWS) {
      const radio = el("input", { type: "radio", name: "window", value });
      radio.checked = value === this.choice.window;
      radio.addEventListener("change", () => {
        this.#choose({ window: value, back: 0 });
        this.scrub.value = BACK_STEPS;
        this.scrubber.hidden = value !== "live";
      });
      group.append(el("label", {}, radio, el("span", {}, text)));
    }
    return group;
  }

  #scrubber() {
    this.scrub = el("input", { type: "range", min: "0", max: BACK_STEPS, step: "1", value: BACK_STEPS,
      "aria-label": "Look back over the last hour" });
    this.when = el("output", {}, "now");
    this.scrub.addEventListener("input", () => this.#choose({ back: BACK_STEPS - Number(this.scrub.value) }));
    return el("div", { class: "scrub" }, this.scrub, this.when);
  }

  #select(key, options, label) {
    const select = el("select", {});
    setOptions(select, options);
    select.value = this.choice[key] ?? "";
    select.addEventListener("change", () => this.#choose({ [key]: select.value }));
    this[key] = select;
    return labelled(label, select);
  }

  #filters() {
    const classes = CLASSES.map(([name, widths]) => [name, `${name}, ${widths}`]);
    return el("div", { class: "filters" },
      this.#select("class", [["", "any width"], ...classes], "Windows"),
      this.#select("audience", AUDIENCES, "Of"),
      this.#select("version", [["", "all"]], "Version"),
      this.#select("against", [["", "nothing"]], "Against"));
  }

  #choose(values) {
    Object.assign(this.choice, values);
    this.chosen();
  }

  // versions: those that the page has had. nowMs: by the service's clock.
  show(versions, nowMs) {
    const back = this.choice.window === "live" && this.choice.back;
    setText(this.when, back ? `${ago(back * STEP_MS)}, ${clock(nowMs - back * STEP_MS)}` : "now");
    const named = versions.map((version) => [version || NAMELESS, versionName(version)]);
    setOptions(this.version, [["", "all"], ...named]);
    setOptions(this.against, [["", "nothing"], ...named]);
    this.version.disabled = this.against.disabled = versions.length < 2;
  }
}
