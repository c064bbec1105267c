// The recommender's API, asked from the page. Every failure becomes one sentence for the reader.

const TIMEOUT_MS = 5000;

export class Trouble extends Error {
  constructor(sentence, status = 0) {
    super(sentence);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Trouble("The shop does not answer. Check that it is running, then try again.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Trouble(body.detail ?? `The shop answered with status ${response.status}.`, response.status);
  }
  // How long the server took, without the way there and back.
  const [, tookMs] = response.headers.get("Server-Timing")?.match(/dur=([\d.]+)/) ?? [];
  return { ...body, took_ms: Number(tookMs ?? 0) };
}

const query = (values) => {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
};
const at = encodeURIComponent;

export const item = (id) => ask(`/v1/items/${at(id)}`);
export const items = async (search, limit) => (await ask(`/v1/items${query({ search, limit })}`)).items;
export const customers = async (search, limit) =>
  (await ask(`/v1/customers${query({ search, limit })}`)).customers;
export const purchases = async (customer, limit) =>
  (await ask(`/v1/customers/${at(customer)}/purchases${query({ limit })}`)).purchases;
export const recommendations = (id, customer) =>
  ask(`/v1/items/${at(id)}/recommendations${query({ customer_id: customer })}`);

// An order's name is made before it is sent: sent again after a lost answer, it is still one order.
export function newOrderId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `page-${Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("")}`;
}

export const order = (orderId, customer, itemId) =>
  ask("/v1/orders", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      order_id: orderId,
      customer_id: customer,
      lines: [{ item_id: itemId, quantity: 1 }],
    }),
  });
