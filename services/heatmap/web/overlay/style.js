// The overlay's own look. Pages may forbid inline styles; a constructed sheet is always allowed.

const TEXT = `
:host { all: initial; position: fixed; inset: 0; z-index: 2147483647; pointer-events: none; color-scheme: light dark;
  --raised: light-dark(#ffffff, #1c1f23); --ink: light-dark(#23211d, #edeae4); --soft: light-dark(#67625a, #a5a199);
  --line: light-dark(#e6e1d8, #2e3238); --wash: light-dark(#f0ece4, #24282d); --accent: light-dark(#2f6b5b, #8fcdb9);
  --warm: light-dark(#a4551b, #e9a873); --focus: light-dark(#2563c9, #8ab4ff);
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.sheet { position: fixed; inset: 0; overflow: hidden; contain: strict; }
.points { position: absolute; left: 0; top: 0; }
.long { position: absolute; left: 0; top: 0; transform-origin: 0 0; will-change: transform; }
.stretched { position: absolute; inset: 0; width: 100%; height: 100%; }
.fold { position: absolute; left: 0; right: 0; border-top: 2px dashed #c2185b; }
.fold span { position: absolute; left: 8px; bottom: 3px; padding: 1px 8px; border-radius: 999px; background: #c2185b; color: #fff;
  font: 600 12px/1.5 var(--sans); white-space: nowrap; }
.ring { position: absolute; width: 34px; height: 34px; border: 3px solid #d7191c; border-radius: 50%;
  box-shadow: 0 0 0 2px rgb(255 255 255 / 75%); opacity: 0; }

.panel, .strip { pointer-events: auto; font: 13px/1.45 var(--sans); color: var(--ink); }
.panel { position: fixed; left: 16px; bottom: 16px; width: 280px; max-width: calc(100vw - 80px); max-height: calc(100vh - 32px);
  overflow: auto; border: 1px solid var(--line); border-radius: 14px; background: var(--raised);
  box-shadow: 0 10px 34px rgb(0 0 0 / 22%); scrollbar-width: thin; }
header { display: flex; gap: 8px; align-items: center; padding: 9px 8px 9px 14px; }
h2 { flex: 1; margin: 0; font-size: 13px; font-weight: 650; }
.dot { width: 9px; height: 9px; border-radius: 50%; background: var(--soft); }
.dot[data-state="live"] { background: #2e9b5b; }
.dot[data-state="away"] { background: #d7191c; }
button, input, select { font: inherit; color: inherit; }
.plain { width: 26px; height: 26px; padding: 0; border: 0; border-radius: 7px; background: none; font-size: 17px; line-height: 1; cursor: pointer; }
.plain:hover { background: var(--wash); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 1px; border-radius: 6px; }
.body { display: grid; gap: 10px; padding: 0 14px 14px; }
.status { margin: 0; min-height: 2.9em; font-variant-numeric: tabular-nums; }
.away { margin: 0; color: var(--warm); font-weight: 600; }
.away:empty { display: none; }
.notes { display: grid; gap: 3px; margin: -6px 0 0; padding: 0; list-style: none; color: var(--soft); font-size: 12px; }
.windows { display: grid; grid-template-columns: repeat(3, 1fr); gap: 2px; padding: 2px; border-radius: 9px; background: var(--wash); }
.windows label { position: relative; }
.windows input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.windows span { display: block; padding: 3px 0; border-radius: 7px; text-align: center; }
.windows input:checked + span { background: var(--raised); font-weight: 600; box-shadow: 0 1px 3px rgb(0 0 0 / 18%); }
.windows input:focus-visible + span { outline: 3px solid var(--focus); }
.scrub { display: grid; gap: 1px; }
.scrub input { width: 100%; margin: 0; accent-color: var(--accent); }
.scrub output { color: var(--soft); font-size: 12px; text-align: right; font-variant-numeric: tabular-nums; }
fieldset { margin: 0; padding: 0; border: 0; }
legend { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
.layer { display: grid; grid-template-columns: auto 26px 1fr auto; gap: 8px; align-items: center; padding: 2px 0; cursor: pointer; }
.layer input { margin: 0; accent-color: var(--accent); }
.layer b { font-weight: 400; color: var(--soft); font-variant-numeric: tabular-nums; }
.swatch { height: 9px; border-radius: 3px; }
.layer:has([value="reach"]) .swatch { height: 0; border-top: 2px dashed #c2185b; border-radius: 0; }
.filters { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
.row { display: grid; gap: 2px; min-width: 0; }
.row span { color: var(--soft); font-size: 12px; }
.row select { width: 100%; padding: 3px 4px; border: 1px solid var(--line); border-radius: 7px; background: var(--raised); }
.row select:disabled { opacity: .55; }

.strip { position: fixed; right: 0; top: 0; bottom: 0; width: 40px; background: light-dark(rgb(255 255 255 / 72%), rgb(20 22 25 / 72%));
  border-left: 1px solid var(--line); cursor: pointer; }
.strip:focus-visible { outline-offset: -3px; }
.strip canvas { width: 100%; height: 100%; display: block; image-rendering: pixelated; }
.here { position: absolute; left: 0; right: 0; border: 2px solid var(--ink); border-radius: 3px; pointer-events: none; }
.tip { position: absolute; right: 48px; transform: translateY(-50%); width: max-content; max-width: min(300px, 70vw); padding: 5px 10px;
  border: 1px solid var(--line); border-radius: 9px; background: var(--raised); box-shadow: 0 4px 14px rgb(0 0 0 / 18%); pointer-events: none;
  font-variant-numeric: tabular-nums; }
`;

export function dress(shadow) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(TEXT);
  shadow.adoptedStyleSheets = [sheet];
}
