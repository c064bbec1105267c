// The page: which item, which customer, and the five below. The address holds both.

import * as api from "./api.js";
import { blank, card, framed, itemRow, why } from "./cards.js";
import { Combobox } from "./combobox.js";
import { byId, count, day, el, money } from "./dom.js";
import { picture } from "./picture.js";

const GUEST = { customer_id: null };
const place = { item: null, customer: null };
let visit = 0;

const address = (item, customer = place.customer) =>
  (item ? `/items/${encodeURIComponent(item)}` : "/") +
  (customer ? `?customer_id=${encodeURIComponent(customer)}` : "");

function readPlace() {
  const [, item] = location.pathname.match(/^\/items\/(.+)$/) ?? [];
  place.item = item ? decodeURIComponent(item) : null;
  place.customer = new URLSearchParams(location.search).get("customer_id");
}

function go(to) {
  if (to !== location.pathname + location.search) history.pushState(null, "", to);
  show();
}

// Draw the whole place anew; a newer visit wins over an older one whose answers come late.
async function show() {
  const before = place.item;
  readPlace();
  const mine = ++visit;
  byId("customer-input").value = place.customer ? `Customer ${place.customer}` : "";
  byId("shop").hidden = place.item !== null;
  byId("product").hidden = byId("five").hidden = place.item === null;
  if (before !== place.item) scrollTo(0, 0);
  await guarded(async () => {
    const fresh = () => mine === visit;
    await (place.item === null ? showShop(fresh) : showProduct(fresh));
  });
}

async function guarded(work) {
  const box = byId("trouble");
  try {
    await work();
    box.hidden = true;
  } catch (trouble) {
    if (!(trouble instanceof api.Trouble)) throw trouble;
    box.querySelector("p").textContent = trouble.message;
    box.querySelector("button").onclick = () => guarded(work);
    box.hidden = false;
  }
}

async function showShop(fresh) {
  const list = byId("shop-items");
  if (!list.children.length) list.replaceChildren(...Array.from({ length: 15 }, blank));
  const items = await api.items("", 15);
  if (!fresh()) return;
  document.title = "Five more";
  list.replaceChildren(...items.map((item) => card(item, address(item.item_id))));
}

async function showProduct(fresh) {
  waitForFive();
  const [item] = await Promise.all([api.item(place.item), showFive(fresh), showLately(fresh)]);
  if (!fresh()) return;
  document.title = `${item.title} · Five more`;
  byId("product-picture").replaceChildren(picture(item));
  byId("product-category").textContent = item.category === "other" ? "" : item.category;
  byId("product-title").textContent = item.title;
  byId("product-price").textContent = money(item.price);
  showStock(item);
  byId("buy").onclick = () => buy(item, byId("buy"));
}

function showStock({ active, stock }) {
  byId("buy").disabled = !active || stock === 0;
  byId("product-stock").textContent = !active ? "No longer sold" : stock ? `${stock} in stock` : "Out of stock";
}

function waitForFive() {
  const list = byId("five-items");
  list.setAttribute("aria-busy", "true");
  if (!list.children.length) list.replaceChildren(...Array.from({ length: 5 }, blank));
}

async function showFive(fresh) {
  waitForFive();
  const answer = await api.recommendations(place.item, place.customer);
  if (!fresh()) return;
  const list = byId("five-items");
  list.replaceChildren(...answer.items.map((item) =>
    card(item, address(item.item_id), { reason: why(item), buy })));
  list.setAttribute("aria-busy", "false");
  byId("five-title").textContent = place.customer ? `Five more for customer ${place.customer}` : "Five more";
  byId("badge").hidden = answer.source === "model";
  byId("badge").textContent = "Popular items, until a model is trained";
  const model = answer.model_version === null ? "no model yet" : `model ${answer.model_version}`;
  byId("about").textContent = `${model}, answered in ${answer.took_ms.toFixed(1)} ms`;
  byId("about").title = `Request ${answer.request_id}`;
}

async function showLately(fresh) {
  const bought = place.customer ? await api.purchases(place.customer, 5) : [];
  if (!fresh()) return;
  byId("lately-title").textContent = !place.customer
    ? "You are a guest. Choose a customer above, and the five below become personal."
    : bought.length ? `Customer ${place.customer} bought lately` : `Customer ${place.customer} bought nothing yet`;
  byId("lately-items").replaceChildren(...bought.map((item) =>
    el("li", {}, el("a", { href: address(item.item_id), "data-inside": "", "aria-label": item.title,
      title: `${item.title}, ${day(item.last_at)}` }, framed(item)))));
}

// Record an order of one, then ask again for all that it changes. A retry is the same order.
async function buy(item, button) {
  const orderId = api.newOrderId();
  const customer = place.customer;
  const mine = visit;
  const fresh = () => mine === visit;
  button.disabled = true;
  say(`Buying ${item.title} ...`);
  await guarded(async () => {
    try {
      await api.order(orderId, customer, item.item_id);
    } catch (trouble) {
      button.disabled = false;
      say(trouble.message, true);
      if (trouble.status === 409) return;
      throw trouble;
    }
    say(customer ? `Bought ${item.title}. The five know it already.`
      : `Bought ${item.title} as a guest, so it is not remembered.`);
    const [seed] = await Promise.all([api.item(place.item), showFive(fresh), showLately(fresh)]);
    if (!fresh()) return;
    showStock(seed);
    // The pressed button is gone or was disabled; who uses the keyboard goes on from here.
    (button.isConnected ? button : byId("five-title")).focus({ preventScroll: true });
  });
}

function say(text, bad = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("bad", bad);
}

function customerRow({ customer_id: id, purchases, newest_at: newest }) {
  if (id === null) return el("li", {}, el("span", {}, "Guest"), el("small", {}, "nothing is known"));
  const has = count(purchases, "item", "items");
  return el("li", {}, el("span", {}, `Customer ${id}`),
    el("small", {}, newest ? `bought ${has}, last on ${day(newest)}` : "bought nothing yet"));
}

const digitsOf = (text) => text.replace(/^customer\s*/i, "");

new Combobox(byId("search-input"), byId("search-list"), {
  find: (text) => api.items(text, 8),
  show: itemRow,
  choose: (item) => { byId("search-input").value = ""; go(address(item.item_id)); },
  none: "Nothing has these words in its title.",
});
const customers = new Combobox(byId("customer-input"), byId("customer-list"), {
  find: async (text) => {
    const found = await api.customers(digitsOf(text), 8);
    return text ? found : [GUEST, ...found];
  },
  show: customerRow,
  choose: ({ customer_id: id }) => go(address(place.item, id)),
  none: "No customer's number starts like this.",
});
customers.input.addEventListener("blur", () => {
  customers.input.value = place.customer ? `Customer ${place.customer}` : "";
});

addEventListener("click", (event) => {
  const link = event.target.closest("a[data-inside]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  say("");
  go(link.classList.contains("brand") ? address(null) : link.getAttribute("href"));
});
addEventListener("popstate", show);
show();
