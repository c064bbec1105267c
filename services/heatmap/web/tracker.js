// The heat map's tracker: which part of a page is on screen for how long, clicks and the pointer.
//   <script src="http://HOST:8002/tracker.js" data-site="demo" async></script>
// It posts batches in the format that services/heatmap/events.py reads. It sends no text, no value
// and no cookie, and of the address only the path; nothing where a visitor asks not to be tracked.
// Every visitor loads it and it must stay below 3 kB, packed: hence short names, and one keyword.
//   el  an element                       e  an event of the browser
//   g   the geometry of the last frame   m  a press or click that waits to be measured
//   b   a batch that fills               q  batches not yet acknowledged
//   t   a moment in ms                   seg  the band on screen, from t on
(() => {
  let { dataset, src } = document.currentScript, { doNotTrack, globalPrivacyControl, webdriver } = navigator;
  if (globalPrivacyControl || doNotTrack == 1) return;

  let id, n, page, told, deep; // this page view
  let b = {}, ends = {}, size = 0, t0; // the batch: when rows end, how many there are, its origin
  let g, seg, due, flushed = 0, staff, reply = {};
  let todo = [], near = [], down = 0, move, last = 0, cell;
  let q = [], bytes = 0, fails = 0, hold = 0, stirs = 0;

  // Runs evenly within a page, and compares with other pages of this browser.
  let now = () => Math.round(performance.timeOrigin + performance.now());
  let share = (part, whole, cells) => Math.max(0, Math.min(cells - 1, part / whole * cells | 0));
  let on = (types, f) => types.split(" ").map(type =>
    addEventListener(type, f, { capture: true, passive: true }));
  // Storage can be forbidden or full: then what waits is kept in memory only.
  let storage = use => {
    try {
      use(localStorage);
    } catch {}
  };

  // A row's time is a gap: since the row before ended where rows have an end, else since t0.
  let add = (kind, end, t, ...row) => {
    t0 ||= seg?.t || t;
    (b[kind] ||= []).push(Math.max(0, t - (ends[kind] || t0)), ...row);
    ends[kind] = end;
    size++;
  };

  let seen = () => g && !document.hidden && document.hasFocus();

  // Ends the band on screen and, while somebody looks, begins the next.
  let cut = bye => {
    let t = now();
    if (t > seg?.t) add("view", t, seg.t, Math.min(6e4, t - seg.t), seg.a, seg.b);
    seg = !bye && seen() && { ...g, t };
  };

  let flush = (all, bye) => {
    flushed = now();
    cut(bye);
    if (deep > told) add("reach", 0, now(), told, (told = deep));
    if (t0) {
        q.push({
        v: 1, site: dataset.site, page, id, n: n++, w: g.w, h: g.h, dh: g.dh, age: t0, bye,
        ver: dataset.version || document.querySelector("meta[name=heat-version]")?.content,
        flags: webdriver | staff << 1 || undefined, ...b,
      });
      b = {};
      ends = {};
      t0 = size = 0;
      if (n > 6e4) begin();
    }
    send(all);
  };

  let keep = () => storage(s => s[stored] = JSON.stringify(q));

  // One batch after the other; all at once when the page may be gone any moment.
  // In the queue the age of a batch is its origin; it becomes an age when the batch is sent.
  let send = all => {
    q = q.filter(b => now() - b.age < 36e5).slice(-50);
    if (all) keep();
    for (let b of q) if (now() >= hold && (all || !bytes)) post(b);
  };

  // A batch keeps its id and number until it is acknowledged, so none counts twice.
  let post = async b => {
    let body = JSON.stringify({
      ...b, age: Math.max(0, now() - b.age), at: seg && b.id === id ? [seg.a, seg.b] : undefined,
    });
    let got;
    bytes += body.length;
    try {
      // A browser allows 64 KiB for all requests together that may outlive the page.
      got = await fetch(url, { method: "POST", body, keepalive: bytes < 6e4, credentials: "omit", signal: AbortSignal.timeout(2e4) });
      reply = await got.json();
    } catch {}
    bytes -= body.length;
    if (/^(2|4(?!08|29))/.test(got?.status)) {
      q = q.filter(o => o !== b);
      fails = hold = 0;
      send();
    } else {
      let after = got?.headers.get("Retry-After") * 1000;
      hold = now() + (after || Math.min(6e4, 1000 * 2 ** fails++)) * (1 + Math.random());
    }
    keep();
  };

  let above = el => el.parentElement || el.getRootNode().host;

  // A selector that finds the element; >>> leads into a shadow tree. Values with long numbers or
  // signs are likely about a person or made by a program: then the place among its like counts.
  let path = (el, up = above(el)) => {
    for (let { name, value } of el.attributes) {
      let sel = name === "id" ? "#" + value : `[${name}=${value}]`;
      if (/^(id|data-[\w-]+)=(?!.*\d{5})[a-z_][\w-]*$/i.test(name + "=" + value) && !el.getRootNode().querySelectorAll(sel)[1]) return sel;
    }
    let nth = 1, peer = el;
    while ((peer = peer.previousElementSibling)) nth += peer.localName === el.localName;
    return (up ? path(up) + (el.parentElement ? ">" : ">>>") : "") + el.localName + (nth > 1 ? `:nth-of-type(${nth})` : "");
  };

  let fixed = new WeakMap();
  let pin = el => {
    if (el && !fixed.has(el)) fixed.set(el, /fixed|sticky/.test(getComputedStyle(el).position) | pin(above(el)));
    return fixed.get(el);
  };

  let spot = ({ x, y }, w = 1e4, h = 1e4) => [share(x + g.x, g.dw, w), share(y + g.y, g.dh, h)];

  // Handlers only note; geometry is read here, once for each frame that something was noted in.
  let frame = () => {
    due = 0;
    if (g?.w !== innerWidth) flush(); // a batch is of one width
    let root = document.querySelector("[data-heat-scroll]") || document.scrollingElement;
    let { scrollLeft, scrollTop, scrollWidth: dw, scrollHeight: dh, clientHeight } = root;
    let { left, top } = root.getBoundingClientRect(), own = root !== document.scrollingElement;
    g = {
      w: innerWidth, h: innerHeight, dw, dh, x: own * scrollLeft - left, y: own * scrollTop - top,
      a: share(scrollTop, dh, 10001), b: share(scrollTop + clientHeight, dh, 10001),
    };
    for (let m of todo.splice(0)) {
      m.box ||= m.el.getBoundingClientRect();
      pin(m.el);
      fit(m);
    }
    let t = now();
    if (move && t - last >= 250) {
      let on = spot(move, 64, 200) + "";
      if (cell !== on) add("move", t, t, ...spot(move));
      cell = on;
      last = t;
      move = 0;
    }
    if (seen()) deep = Math.max(deep, g.b);
    if (!seg !== !seen() || Math.hypot(seg.a - g.a, seg.b - g.b) > 70) cut();
    if (size > 180) flush();
  };
  let ask = () => {
    due ||= requestAnimationFrame(frame);
  };

  // The place of a click: as a fraction of the page, and of its element where that could be seen.
  let fit = m => {
    let { e, el } = m;
    if (e.type !== "click") return;
    if (!m.box?.width) m.sel = m.box = "";
    let { left = 0, top = 0, width = g.w, height = g.h } = m.box, byKey = !e.detail;
    let x = byKey ? left + width / 2 : e.x, y = byKey ? top + height / 2 : e.y;
    m.at = spot({ x, y });
    m.row = [
      share(x - left, width, 1024), share(y - top, height, 1024),
      fixed.get(el) | !e.isTrusted << 1 | byKey << 2,
    ];
    log(m, 1);
    if (m.rage) log(m, 2);
  };

  let log = ({ t, sel, at, row }, kind) => {
    let els = b.els ||= [];
    if (sel && !els.includes(sel)) els.push(sel);
    add("click", 0, t, kind, ...at, els.indexOf(sel), ...row);
    if (reply.watched || size > 180) flush();
  };

  let stir = () => {
    stirs++;
    observer.disconnect();
  };
  let observer = new MutationObserver(stir);

  let ignored = e => e.composedPath().some(el => el.dataset?.heatIgnore != null);

  // What is pressed is measured before the page's own handlers can move or remove it.
  on("pointerdown click", e => {
    let el = e.composedPath()[0], t = now(), m = { e, el, t };
    // A click that nobody pressed for was made by a label for its field.
    if (!g || !el.closest || ignored(e) || e.detail && !down) return;
    todo.push(m);
    ask();
    if (e.type !== "click") return (down = m);
    m.sel = path(el).match(/^(?!html(>body)?$).{1,200}$/)?.[0];
    m.box = down.el === el && down.box;
    down = 0;
    near = near.filter(o => t - o.t <= 1000 && Math.hypot(e.x - o.e.x, e.y - o.e.y) <= 30);
    if (e.detail && near.push(m) > 2) {
      near = [];
      m.rage = 1;
    }
    if (!m.sel || el.closest("a:not([href^='#']),input,select,textarea,video") || getSelection().type === "Range") return;
    m.stirs = stirs;
    [document, el.getRootNode()].map(tree =>
      observer.observe(tree, { subtree: true, childList: true, attributes: true, characterData: true }));
    setTimeout(() => m.stirs === stirs && log(m, 3), 2500);
  });

  on("mousemove", e => {
    if (ignored(e)) return;
    move = e;
    if (now() - last >= 250) ask();
  });

  // While the next click is on its way, what changes is due to that and no answer to the last.
  on("scroll focus blur resize selectionchange input submit", () => {
    if (!down) stir();
    ask();
  });

  let begin = () => {
    id = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(8)))).replace(/[+/]/g, "-").slice(0, 11);
    n = 0;
    page = location.pathname;
    told = deep = -1;
    ask();
  };

  // Nothing can be read any more: what was noted gets the geometry of the last frame.
  let exit = bye => {
    stir();
    todo.splice(0).map(fit);
    if (g) flush(1, bye);
  };

  let moved = () => {
    stir();
    if (location.pathname !== page) {
      exit(1);
      begin();
    }
  };
  for (let name of ["pushState", "replaceState"]) {
    let old = history[name];
    history[name] = (...state) => {
      old.apply(history, state);
      moved();
    };
  }
  on("popstate", moved);
  on("online", () => hold = 0);
  on("visibilitychange", () => document.hidden ? exit() : ask());
  on("pagehide", () => {
    exit(1);
    g = 0;
  });
  on("pageshow", () => g || begin());

  let url = new URL(dataset.url || "/collect", src);
  begin();
  let stored = "heat:" + id;
  storage(s => {
    staff = location.search.match(/heat-staff=(.)/)?.[1];
    if (staff) s["heat-staff"] = staff;
    staff = s["heat-staff"];
    for (let name in s) {
      if (/^heat:/.test(name)) {
        q.push(...JSON.parse(s[name]));
        delete s[name];
      }
    }
  });
  keep();
  setInterval(() => {
    if (now() - flushed < (reply.flush_ms || 5000)) return send();
    flush();
    ask();
  }, 250);
})();
