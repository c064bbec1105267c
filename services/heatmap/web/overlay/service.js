// The heat map's service, asked from a page. A failure is one sentence for the reader.

const TIMEOUT_MS = 8000;
const REOPEN_MS = [500, 1000, 2000, 5000];

// status: what the service answered with; undefined when it did not answer.
export class Trouble extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

export class Service {
  constructor(url) {
    this.url = url;
  }

  address(path, values = {}) {
    const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const query = new URLSearchParams(given);
    return `${this.url}${path}${query.size ? `?${query}` : ""}`;
  }

  async ask(path, values = {}, options = {}) {
    let response;
    try {
      response = await fetch(this.address(path, values), { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      throw new Trouble("The heat map's service does not answer.");
    }
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Trouble(body.detail ?? `The service answered with status ${response.status}.`, response.status);
    return body;
  }

  heat = (filters) => this.ask("/v1/heat", filters);
  sites = async () => (await this.ask("/v1/sites")).sites;
  pages = async (site) => (await this.ask(`/v1/sites/${encodeURIComponent(site)}/pages`)).pages;
  lag = () => this.ask("/v1/lag");
  visitors = () => this.ask("/v1/visitors");
  setVisitors = (perMinute) => this.ask("/v1/visitors", {}, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ per_minute: perMinute }),
  });

  // Listens until the function that it gives is called. The browser itself resumes after a break,
  // with the last event's id; where it gave up (an error instead of a stream) this asks anew.
  // away: the service, or the store behind it, does not answer; refused: it answers with an error.
  live(filters, { snapshot, delta, away, refused }) {
    let source;
    let timer = 0;
    let failures = 0;
    const open = () => {
      source = new EventSource(this.address("/v1/live", filters));
      source.addEventListener("snapshot", (event) => { failures = 0; snapshot(JSON.parse(event.data)); });
      source.addEventListener("delta", (event) => { failures = 0; delta(JSON.parse(event.data)); });
      source.addEventListener("away", () => away(true));
      source.addEventListener("back", () => away(false));
      source.onopen = () => away(false);
      source.onerror = () => {
        if (source.readyState !== EventSource.CLOSED) {
          away(true);
          return;
        }
        refused();
        timer = setTimeout(open, REOPEN_MS[Math.min(failures, REOPEN_MS.length - 1)]);
        failures += 1;
      };
    };
    open();
    return () => { clearTimeout(timer); source.close(); };
  }
}
