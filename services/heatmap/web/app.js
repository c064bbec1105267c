// The dashboard: all pages with who is on them, and one of them in full. The address holds which one.

import { elementRows, pageRow } from "./lists.js";
import { Controls } from "./overlay/controls.js";
import { count, el, setText } from "./overlay/dom.js";
import { spanOf, timeOf } from "./overlay/filters.js";
import { Service, Trouble } from "./overlay/service.js";
import { Watch } from "./overlay/watch.js";
import { Xray } from "./xray.js";

const PAGES_MS = 3000;
const LISTS_MS = 500;
const MINIATURES = 6;
const DIAL_PAUSE_MS = 250;
const byId = (id) => document.getElementById(id);
const PICTURES = [["move", "pointer"], ["click", "clicks"], ["rage", "rage"], ["dead", "dead"], ["view", "seconds on screen"], ["reach", "reach"]];

const service = new Service("");
const choice = {
  site: null, page: null, window: "live", back: 0, class: "", audience: "human", version: "", against: "",
};
let watch = null;
let pages = [];
let listing = 0;
const xray = new Xray(byId("xray"));
const controls = new Controls(choice, () => { watch?.chosen(); links(); });
const { windows, scrubber, filters } = controls;
byId("controls").append(windows, scrubber, filters);

function show(site, page, isNew = true) {
  if (isNew) history.pushState(null, "", `/?${new URLSearchParams({ site, page })}`);
  Object.assign(choice, { site, page, version: "", against: "" });
  byId("page-title").textContent = page;
  document.title = `${page} · Live heat map`;
  links();
  if (watch) {
    watch.chosen();
    return;
  }
  watch = new Watch(service, choice, { pictured: () => { xray.show(watch); tell(); }, told: tell });
  watch.start();
}

// Where the page itself lives: the demo article here, other sites where their script tag says.
function addressOf(site, page) {
  if (site === "demo") return `${page}?heat`;
  const known = pages.find((its) => its.site === site && its.page === page);
  return known?.url ?? null;
}

function links() {
  const address = addressOf(choice.site, choice.page);
  byId("open").hidden = address === null;
  if (address !== null) byId("open").href = address;
  const { site, page, class: name, audience, version } = choice;
  byId("downloads").replaceChildren(...PICTURES.map(([layer, text]) => el("a", {
    href: service.address("/v1/picture.png", { site, page, class: name, audience, version, layer, ...spanOf(choice, watch?.nowMs() ?? Date.now()) }),
    download: `${site}${page.replaceAll("/", "-")}-${layer}.png`,
  }, text)));
}

function tell() {
  const { a, b, here, away, trouble, behind, versions } = watch;
  controls.show(versions, watch.nowMs());
  const visits = b ? `${count(a.visits, "visit", "visits")} against ${b.visits}` : count(a.visits, "visit", "visits");
  setText(byId("summary"), `${count(here, "person", "people")} here now · ${timeOf(choice)}: ${visits}`);
  setText(byId("lag"), behind ? `${count(behind, "batch", "batches")} on the way` : "up to the second");
  const sentence = away ? "The heat map's service does not answer. What is shown may be old." : trouble;
  setText(byId("trouble"), sentence);
  byId("trouble").hidden = !sentence;
  listing ||= setTimeout(listElements, LISTS_MS);
}

// Less often than the picture, so that one can read them.
function listElements() {
  listing = 0;
  for (const name of ["click", "rage", "dead"]) byId(`top-${name}`).replaceChildren(...elementRows(watch.a, name));
}

async function listPages() {
  try {
    const sites = await service.sites();
    const bySite = await Promise.all(sites.map(async (site) => (await service.pages(site)).map((page) => ({ site, ...page }))));
    pages = bySite.flat();
    await Promise.all(pages.filter(({ here }) => here).slice(0, MINIATURES).map(async (page) => {
      page.bands ??= (await service.heat({ site: page.site, page: page.page, last: "5s" })).bands;
    }));
    if (!choice.page && pages.length) show(pages[0].site, pages[0].page, false);
    drawPages(sites);
  } catch (trouble) {
    if (!(trouble instanceof Trouble)) throw trouble;
    byId("trouble").hidden = false;
    setText(byId("trouble"), trouble.message);
  }
  setTimeout(listPages, PAGES_MS);
}

// Drawn anew each time; the keyboard stays on the page that it was on.
function drawPages(sites) {
  const focused = document.activeElement?.dataset;
  const [site, page] = [focused?.site, focused?.page];
  byId("pages").replaceChildren(...sites.flatMap((name) => {
    const its = pages.filter((one) => one.site === name);
    const rows = its.map((one) => pageRow(name, one, name === choice.site && one.page === choice.page));
    return [el("h2", {}, name), rows.length ? el("ul", {}, ...rows) : el("p", { class: "soft" }, "Nobody yet")];
  }));
  if (page) byId("pages").querySelector(`[data-site="${CSS.escape(site)}"][data-page="${CSS.escape(page)}"]`)?.focus();
}

function place() {
  const query = new URLSearchParams(location.search);
  if (query.get("page")) show(query.get("site") ?? "demo", query.get("page"), false);
}

async function turnDial() {
  const dial = byId("dial");
  const tellDial = ({ per_minute: n }) => setText(byId("dial-now"), String(n));
  let pause = 0;
  dial.addEventListener("input", () => {
    tellDial({ per_minute: Number(dial.value) });
    clearTimeout(pause);
    pause = setTimeout(() => service.setVisitors(Number(dial.value)).then(tellDial, (trouble) => setText(byId("dial-now"), trouble.message)), DIAL_PAUSE_MS);
  });
  const now = await service.visitors().catch(() => null);
  if (now === null) return;
  dial.disabled = false;
  dial.value = now.per_minute;
  tellDial(now);
}

function offerBookmark() {
  const code = `(()=>{const s=document.createElement("script");s.src=${JSON.stringify(`${location.origin}/overlay.js`)};document.head.append(s)})()`;
  const link = byId("bookmark");
  link.href = `javascript:${encodeURIComponent(code)}`;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    setText(byId("bookmark-hint"), "Drag it to the bookmarks bar; press it on the page that you want to see.");
  });
}

addEventListener("click", (event) => {
  const link = event.target.closest("a[data-page]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  show(link.dataset.site, link.dataset.page);
  for (const other of document.querySelectorAll("a[data-page]")) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "page");
});
addEventListener("popstate", place);
offerBookmark();
place();
listPages();
turnDial();
