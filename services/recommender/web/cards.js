// The cards of items: a picture, why it is here, title and price.

import { el, money } from "./dom.js";
import { picture } from "./picture.js";

export const framed = (item) => {
  const frame = el("div", { class: "picture" });
  frame.append(picture(item));
  return frame;
};

// Why an item is among the five, in words that are true of this customer.
export function why({ stage, because, category }) {
  if (stage === "history" && because) return `Because you bought ${because.title}`;
  if (stage === "together") {
    return because ? `Often bought together, and you bought ${because.title}` : "Often bought together";
  }
  if (stage !== "category") return "Popular in the shop";
  return category === "other" ? "Popular among the rest" : `Popular in ${category}`;
}

export function card(item, address, { reason = "", buy = null } = {}) {
  const link = el("a", { href: address, class: "name", "data-inside": "" }, item.title);
  const row = el("div", { class: "foot-row" }, el("span", { class: "cost" }, money(item.price)));
  if (buy) {
    const button = el("button", { type: "button", "aria-label": `Buy ${item.title}` }, "Buy");
    button.addEventListener("click", () => buy(item, button));
    row.append(button);
  }
  const parts = [framed(item), ...(reason ? [el("p", { class: "why", title: reason }, reason)] : []), link, row];
  return el("li", { class: "card", "data-item": item.item_id, "data-stage": item.stage ?? null }, ...parts);
}

export const blank = () =>
  el("li", { class: "card blank", "aria-hidden": "true" }, el("div", { class: "picture" }),
    el("p", { class: "why" }), el("p", { class: "name" }), el("div", { class: "foot-row" }));

// What a suggestion looks like in the lists under the search and the customer fields.
export const itemRow = (item) =>
  el("li", {}, framed(item), el("span", {}, item.title), el("small", {}, money(item.price)));
