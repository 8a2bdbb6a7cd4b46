// Keyboard first: every act of an editor has a key, the usual ones where editing programs have them.
import { closeShape, put, takeBack } from "./pen";
import { press, speed, stop, toggle } from "./player";
import { showOriginal } from "./stage";
import {
  asking,
  chosen,
  clip,
  decide,
  drawing,
  extend,
  form,
  frame,
  frames,
  go,
  inMark,
  keysOn,
  merge,
  mine,
  nudge,
  outlines,
  outMark,
  plan,
  redo,
  said,
  selected,
  sound,
  split,
  toMarks,
  undo,
  unkey,
  walk,
  zoomed,
} from "./state";
import { zoom, zoomToFrame } from "./timeline";
import type { Word } from "./words";

export const KEYS: [string, Word][] = [
  ["J K L", "k.play"],
  ["␣", "k.space"],
  ["← →", "k.step"],
  ["↑ ↓", "k.cut"],
  ["Home End", "k.ends"],
  ["I O", "k.marks"],
  ["N P", "k.next"],
  ["D", "k.draw"],
  ["E", "k.free"],
  ["Alt ← ↑ → ↓", "k.nudge"],
  ["[ ]", "k.extend"],
  ["U", "k.toMarks"],
  ["Del", "k.delete"],
  ["S M", "k.split"],
  ["H R", "k.decide"],
  ["1 2 3", "k.kinds"],
  ["A G B", "k.sound"],
  ["V", "k.original"],
  ["T Z", "k.view"],
  ["Ctrl Z Y", "k.undo"],
  ["− + 0 F W", "k.zoom"],
  ["Esc", "k.esc"],
];

function step(by: number): void {
  stop();
  go(frame.value + by);
}

function toCut(way: 1 | -1): void {
  stop();
  const cuts = [0, ...(plan.value?.cuts ?? []), frames.value - 1];
  const next = way === 1 ? cuts.find((cut) => cut > frame.value) : cuts.findLast((cut) => cut < frame.value);
  if (next !== undefined) go(next);
}

/** Set a mark, or take it away. One that the new mark passes by goes, as in editing programs. */
function setMark(mark: typeof inMark): void {
  mark.value = mark.value === frame.value ? null : frame.value;
  const [a, b] = [inMark.value, outMark.value];
  if (a !== null && b !== null && a > b) (mark === inMark ? outMark : inMark).value = null;
}

/** Take a tool into the hand, or put it back. */
export function take(tool: "box" | "free"): void {
  drawing.value = !mine.value || drawing.value === tool ? null : tool;
}

const single: Record<string, () => void> = {
  j: () => press("j"),
  k: () => press("k"),
  l: () => press("l"),
  " ": toggle,
  i: () => setMark(inMark),
  o: () => setMark(outMark),
  n: () => walk(1),
  p: () => walk(-1),
  d: () => take("box"),
  e: () => take("free"),
  "[": () => extend("before"),
  "]": () => extend("after"),
  s: split,
  m: merge,
  h: () => decide("hide"),
  r: () => {
    if (chosen.value.length && mine.value) asking.value = "reason";
  },
  u: toMarks,
  a: () => sound("silence"),
  g: () => sound("disguise"),
  b: () => sound("silence", { kind: "name" }),
  t: () => (outlines.value = !outlines.value),
  f: zoomToFrame,
  w: () => zoom(0.25),
  z: () => (zoomed.value = !zoomed.value),
  "+": () => zoom(0.5),
  "=": () => zoom(0.5),
  "-": () => zoom(2),
  "0": () => zoom(Infinity),
  "1": () => form("head", "ellipse"),
  "2": () => form("body", "box"),
  "3": () => form("free", "polygon"),
  "?": () => (asking.value = "keys"),
};

const named: Record<string, (by: number) => void> = {
  ArrowLeft: (by) => step(-by),
  ArrowRight: (by) => step(by),
  ArrowUp: () => toCut(-1),
  ArrowDown: () => toCut(1),
  Home: () => step(-frames.value),
  End: () => step(frames.value),
  Delete: unkey,
  Backspace: () => (put.value.length ? takeBack() : unkey()),
  Enter: closeShape,
  Escape: () => {
    if (!drawing.value) selected.value = [];
    drawing.value = said.value = null;
  },
};

const arrows: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function typing(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  return target.matches("input, textarea, select, dialog *") || asking.value !== null;
}

export function listenToKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (!clip.value || typing(event)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") void (event.shiftKey ? redo() : undo());
      else if (key === "y") void redo();
      else return;
      event.preventDefault();
      return;
    }
    const arrow = arrows[event.key];
    if (event.altKey) {
      if (!arrow || !mine.value) return;
      event.preventDefault();
      const [dx, dy] = [arrow[0] * 2, arrow[1] * 2];
      if (event.shiftKey) nudge(0, 0, dx, dy);
      else nudge(dx, dy, 0, 0);
      return;
    }
    if (key === "v" && keysOn.value) {
      if (!event.repeat) void showOriginal(true);
      return;
    }
    const onButton = (event.target as HTMLElement).matches("button, [role=slider]");
    if (key === " " && onButton) return;
    if (event.key === "Enter" && !put.value.length) return;
    const act = named[event.key];
    if (act) {
      event.preventDefault();
      act(event.shiftKey ? 10 : 1);
      return;
    }
    const plain = single[key];
    if (plain && keysOn.value) {
      event.preventDefault();
      if (!event.repeat || "ijklo".indexOf(key) < 0) plain();
    }
  });
  document.addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "v") void showOriginal(false);
  });
  // What was clicked with the mouse gives the keys back: space plays, N goes on, whatever was touched last.
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest?.("button");
    if (event.detail > 0 && button && !button.closest("dialog")) button.blur();
  });
  document.addEventListener("change", (event) => {
    const target = event.target as HTMLElement;
    if (clip.value && target.matches("select, [type=checkbox]") && !target.closest("dialog")) target.blur();
  });
  addEventListener("blur", () => {
    void showOriginal(false);
    if (speed.value < 0) stop();
  });
}
