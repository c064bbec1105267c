// Small helpers: elements without markup in strings, so that nothing needs escaping.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export const el = (name, attributes = {}, ...children) =>
  build(document.createElement(name), attributes, children);

export const svg = (name, attributes = {}, ...children) =>
  build(document.createElementNS(SVG, name), attributes, children);

const MONEY = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

export const money = (amount) => MONEY.format(amount);
export const day = (timestamp) => DAY.format(new Date(timestamp));
export const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;
