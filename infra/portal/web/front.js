// The front page: draws the house once, then asks every two seconds what of it runs.

const PERIOD_MS = 2000;
const byId = (id) => document.getElementById(id);
const { picture } = await import(`${document.body.dataset.pictures}/picture.js`);

function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

async function ask(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(5000) });
  const body = await response.json();
  if (!response.ok) throw new Error(body.detail);
  return body;
}

function systemCard({ name, title, question, page, design, workers }) {
  return el("article", { class: "card", "data-part": name, "aria-label": title },
    el("div", { class: "head" }, el("h2", {}, title), el("p", { class: "word" }, "")),
    el("p", { class: "question" }, question),
    el("div", { class: "doors" }, el("a", { href: page }, "Open the page"),
      el("a", { href: `${page}docs` }, "API"), el("a", { href: design }, "Design")),
    el("div", { class: "example", id: `example-${name}` }, el("p", {}, "Asking for an example ...")),
    el("div", { class: "ask", id: `ask-${name}` }),
    ...(workers.length ? [el("ul", { class: "parts", "aria-label": `Workers of ${title}` }, ...workers.map(partRow))] : []));
}

function partRow({ name, title, role, page, passing }) {
  const shown = page ? el("a", { href: page }, title) : el("span", {}, title);
  const plain = el("span", { hidden: "" }, title);
  const row = el("li", { "data-part": name }, el("span", { class: "dot" }), el("span", {}, shown, plain),
    el("span", { class: "word" }), el("small", {}, role));
  if (passing) row.dataset.passing = "";
  return row;
}

function showState(row, up) {
  row.dataset.up = up;
  const passing = "passing" in row.dataset;
  row.querySelector(".word").textContent = up ? "answers" : passing ? "no job just now" : "not running";
  const link = row.querySelector("li > span > a");
  if (link) {
    link.hidden = !up;
    link.nextElementSibling.hidden = up;
  }
}

async function watch() {
  try {
    for (const { name, up } of (await ask("/status")).parts) {
      for (const row of document.querySelectorAll(`[data-part="${CSS.escape(name)}"]`)) showState(row, up);
    }
    byId("checked").textContent = "";
  } catch {
    byId("checked").textContent = "The front page's own server does not answer; this may be out of date.";
  }
  setTimeout(watch, PERIOD_MS);
}

const figure = (item, page) => el("a", { href: `${page}items/${encodeURIComponent(item.item_id)}` },
  el("figure", {}, framed(item), el("figcaption", {}, item.title)));

function framed(item) {
  const frame = el("div", { class: "picture" });
  frame.append(picture(item));
  return frame;
}

async function showExample(page, choice) {
  const again = el("button", { type: "button" }, "Another");
  again.onclick = () => showExample(page, choice + 1);
  try {
    const { item, five, path } = await ask(`/example/recommender?choice=${choice}`);
    byId("example-recommender").replaceChildren(figure(item, page),
      el("ol", { "aria-label": `Five more for ${item.title}` }, ...five.map((one) => el("li", {}, figure(one, page)))));
    byId("ask-recommender").replaceChildren(el("code", {}, `GET ${path}`), again);
  } catch (trouble) {
    again.textContent = "Try again";
    byId("example-recommender").replaceChildren(el("p", {}, trouble.message || "The example does not answer."));
    byId("ask-recommender").replaceChildren(again);
  }
}

const people = ({ page: path, here }, page) => el("li", {},
  el("strong", {}, here.toLocaleString()), ` ${here === 1 ? "person" : "people"} on `,
  el("a", { href: new URL(path, page) }, path), " right now");

async function showPeople(page) {
  try {
    const { pages, path } = await ask("/example/heatmap");
    byId("example-heatmap").replaceChildren(pages.length
      ? el("ul", { class: "people" }, ...pages.map((one) => people(one, page)))
      : el("p", {}, "Nobody has been here yet."));
    byId("ask-heatmap").replaceChildren(el("code", {}, `GET ${path}`));
  } catch (trouble) {
    byId("example-heatmap").replaceChildren(el("p", {}, trouble.message || "The example does not answer."));
    byId("ask-heatmap").replaceChildren();
  }
  setTimeout(showPeople, PERIOD_MS, page);
}

const house = await ask("/house");
byId("systems").replaceChildren(...house.systems.map(systemCard));
byId("parts").replaceChildren(...house.parts.map(partRow));
watch();
const shop = house.systems.find((system) => system.name === "recommender");
if (shop) showExample(shop.page, 0);
const heatmap = house.systems.find((system) => system.name === "heatmap");
if (heatmap) showPeople(heatmap.page);
