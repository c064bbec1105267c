// Puts the live heat map over any page: one script tag, or one bookmark that adds it.
// It only finds out who serves it and which site this is; the rest is loaded from there.
{
  const script = document.currentScript;
  const { origin } = new URL(script.src);
  const named = script.dataset.site ?? document.querySelector("script[data-site]")?.dataset.site;
  import(new URL("/overlay/main.js", origin)).then(({ start }) =>
    start({ service: origin, site: named ?? "demo", page: location.pathname }));
}
