// The choices that overlay and dashboard share: which visits, of which time.

export const CLASSES = [
  ["xs", "under 480 px", 480], ["s", "480 to 767 px", 768], ["m", "768 to 1,023 px", 1024],
  ["l", "1,024 to 1,439 px", 1440], ["xl", "1,440 to 1,919 px", 1920], ["xxl", "1,920 px and wider", Infinity],
];
export const AUDIENCES = [["human", "people"], ["bot", "bots"], ["staff", "staff"], ["all", "everybody"]];
export const WINDOWS = [["live", "Live"], ["1h", "1 hour"], ["today", "Today"]];
// What the service calls pages that name no version.
export const NAMELESS = "-none-";
export const WINDOW_MS = 60_000;
export const STEP_MS = 5_000;
export const BACK_STEPS = 708;

export const classOf = (width) => CLASSES.find(([, , limit]) => width < limit)[0];
export const widthsOf = (name) => CLASSES.find(([its]) => its === name)?.[1] ?? "any width";

// What to ask for: a past minute, the last minute, an hour or the day.
export function spanOf({ window, back }, nowMs) {
  if (window !== "live") return { last: window };
  if (!back) return { last: "60s" };
  const to = Math.floor(nowMs / STEP_MS) * STEP_MS - back * STEP_MS;
  return { from: to - WINDOW_MS, to };
}

export function timeOf({ window, back }) {
  if (window === "today") return "Today (UTC)";
  if (window === "1h") return "Last hour";
  return back ? "That minute" : "Last 60 s";
}
