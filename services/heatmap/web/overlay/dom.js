// Elements without markup in strings, so that nothing needs escaping.

export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

export const count = (n, one, many) => `${n.toLocaleString("en-GB")} ${n === 1 ? one : many}`;

export const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");

export function ago(ms) {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s ago` : `${Math.floor(seconds / 60)} min ${seconds % 60} s ago`;
}

// Seconds of attention in the unit that one would say them in.
export function span(ms) {
  if (ms < 99_500) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

// The options of a select, keeping what is chosen; touched only when they are others than before.
export function setOptions(select, options) {
  const key = JSON.stringify(options);
  if (select.dataset.options === key) return;
  const chosen = select.value;
  select.dataset.options = key;
  select.replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

// Touches the page only when there is something new to say.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
