// What the page knows, and everything a person can do to a plan.
import { batch, computed, signal } from "@preact/signals";
import { bytes, get, Refusal, send } from "./api";
import type { ClipLine, Corner, Decision, Edited, Item, Kind, Plan, Region, Session, Settings, Shape, Status } from "./api";
import type { Box } from "./plan";
import { boxAt, changed, first, frameAt, isDrawn, isKey, last, nearBox } from "./plan";
import { t, told } from "./words";

export const session = signal<Session | null>(null);
export const clips = signal<ClipLine[]>([]);
export const clip = signal<string | null>(null);
export const status = signal<Status | null>(null);
export const plan = signal<Plan | null>(null);
export const version = signal(0);
export const rate = signal(25);
export const times = signal<Float64Array>(new Float64Array());
export const peaks = signal<Uint8Array>(new Uint8Array());
export const queue = signal<Item[]>([]);
export const seen = signal<Set<string>>(new Set());
export const here = signal<string | null>(null); // key of the queue's item in view
export const frame = signal(0);
export const selected = signal<string[]>([]);
export const inMark = signal<number | null>(null);
export const outMark = signal<number | null>(null);
export const pictured = signal(false); // whether the first picture is there; all else that asks workers waits for it
export const drawing = signal<"box" | "free" | null>(null); // which tool is in hand
export const outlines = signal(true);
export const original = signal(false);
export const zoomed = signal(false);
export const saving = signal(0);
export const said = signal<{ text: string; bad: boolean } | null>(null);
export const asking = signal<"name" | "reason" | "keys" | "copy" | "keep" | "revoice" | null>(null);
export const keysOn = signal(localStorage.getItem("keys") !== "off");

/** Frames whose picture changed: whoever keeps pictures of them drops those. */
export const redrawn = signal<{ from: number; to: number; turn: number }>({ from: 0, to: -1, turn: 0 });

export const mine = computed(() => status.value?.holder?.mine ?? false);
export const frames = computed(() => plan.value?.clip.frames ?? 0);
export const base = computed(() => {
  const told = plan.value?.clip.time_base ?? [1, 25];
  return told[0] / told[1];
});
export const byId = computed(() => new Map((plan.value?.regions ?? []).map((region) => [region.id, region])));
export const chosen = computed(() =>
  selected.value.map((id) => byId.value.get(id)).filter((region): region is Region => region !== undefined),
);
export const inFrame = computed(() =>
  (plan.value?.regions ?? []).flatMap((region) => {
    const box = boxAt(region, frame.value);
    return box ? [{ region, box }] : [];
  }),
);
export const left = computed(() => queue.value.filter((item) => !seen.value.has(item.key)));

/** Where the copy begins and ends when its length is cut to whole seconds; null: it has everything. See `Plan.ends`. */
export const ends = computed(() => {
  const now = plan.value;
  if (!now?.settings.trim || now.clip.still) return null;
  const { first_pts, last_pts, frames: count } = now.clip;
  const length = (((last_pts - first_pts) * base.value) / Math.max(count - 1, 1)) * count;
  const whole = Math.floor(length + 1e-9);
  if (whole === 0) return null;
  return { from: (length - whole) / 2, to: (length + whole) / 2 };
});

/** Seconds since the first picture. */
export function secondsOf(index: number): number {
  const all = times.value;
  if (all.length === 0) return index / rate.value;
  return (all[Math.min(Math.max(index, 0), all.length - 1)]! - all[0]!) * base.value;
}

export function frameOfSeconds(seconds: number): number {
  const all = times.value;
  if (all.length === 0) return Math.round(seconds * rate.value);
  return frameAt(all, all[0]! + seconds / base.value);
}

export function clock(seconds: number): string {
  const thousandths = Math.round(seconds * 1000);
  const pad = (value: number, digits: number) => String(value).padStart(digits, "0");
  const minutes = Math.floor(thousandths / 60000);
  return `${pad(minutes, 2)}:${pad(Math.floor(thousandths / 1000) % 60, 2)}.${pad(thousandths % 1000, 3)}`;
}

export function api(rest = ""): string {
  return `/api/clips/${clip.value}${rest}`;
}

export function complain(error: unknown): void {
  if (!(error instanceof Refusal)) {
    // The browser's own words for a desk that is not there help nobody.
    said.value = { text: error instanceof TypeError ? t("lost") : String(error), bad: true };
    return;
  }
  const ours = told(error.code);
  const detail = `${error.message} ${error.nextStep}`.trim();
  said.value = { text: error.code === "401" ? t("ended") : ours === error.code ? detail : `${ours} ${detail}`, bad: true };
}

/** Say for a moment what was done. */
export function tell(text: string): void {
  const now = { text, bad: false };
  said.value = now;
  setTimeout(() => {
    if (said.value === now) said.value = null;
  }, 4000);
}

export function go(to: number): void {
  frame.value = Math.min(Math.max(Math.round(to), 0), Math.max(frames.value - 1, 0));
}

// ---------------------------------------------------------------------------------------------------------- opening

export async function list(): Promise<void> {
  clips.value = (await get<{ clips: ClipLine[] }>("/api/clips")).clips;
}

export async function open(id: string): Promise<void> {
  clip.value = id;
  batch(() => {
    plan.value = null;
    times.value = new Float64Array();
    peaks.value = new Uint8Array();
    pictured.value = false;
    queue.value = [];
    selected.value = [];
    here.value = null;
    inMark.value = outMark.value = null;
    frame.value = 0;
  });
  try {
    const told = bytes(api("/times")).then((all) => (times.value = new Float64Array(all)));
    await Promise.all([
      reread(),
      send("POST", api("/hold")).catch((error: unknown) => {
        if (!(error instanceof Refusal && error.code === "SL-DESK-TAKEN")) throw error;
      }),
    ]);
    await refresh();
    await told;
    await send("POST", api("/film/0"));
  } catch (error) {
    complain(error);
  }
}

export async function close(): Promise<void> {
  if (mine.value) await send("DELETE", api("/hold")).catch(complain);
  clip.value = null;
  status.value = null;
  await list();
}

/** Take the plan as it is there, unless a change went out or came back meanwhile: then the answer may be older. */
async function reread(): Promise<void> {
  const before = changes;
  const told = await get<{ version: number; rate: number; plan: Plan }>(api("/plan"));
  if (changes !== before) return;
  batch(() => {
    plan.value = told.plan;
    version.value = told.version;
    rate.value = told.rate;
    redrawn.value = { from: 0, to: told.plan.clip.frames, turn: redrawn.value.turn + 1 };
  });
  await requeue();
}

const marking = new Set<string>(); // seen here, not yet known there

async function requeue(): Promise<void> {
  const told = await get<{ items: Item[]; seen: string[] }>(api("/queue"));
  batch(() => {
    queue.value = told.items;
    for (const key of told.seen) marking.delete(key);
    seen.value = new Set([...told.seen, ...marking]);
  });
}

let stamp = "";

/** Ask for what changes by itself; keep the clip for another while. */
export async function refresh(): Promise<void> {
  const id = clip.value;
  if (!id) return;
  const told = await get<Status>(api());
  if (clip.value !== id) return;
  status.value = told;
  if (told.queue !== stamp) {
    stamp = told.queue;
    await requeue();
  }
  if (told.version !== version.value && saving.value === 0) await reread();
  if (told.peaks > 0 && peaks.value.length === 0) peaks.value = new Uint8Array(await bytes(api("/peaks")));
}

export async function keepHold(): Promise<void> {
  if (!clip.value || !session.value?.name) return;
  if (status.value?.holder && !mine.value) return;
  const before = mine.value;
  await send("POST", api("/hold")).catch(() => undefined); // somebody was quicker; the status says who
  await refresh().catch(complain);
  if (!before && mine.value) said.value = null;
}

// ---------------------------------------------------------------------------------------------------------- editing

let line: Promise<unknown> = Promise.resolve();
let changes = 0; // sent and answered

/** One change after the other: each names the version that the one before made. */
function changing(path: string, body: () => Record<string, unknown>): Promise<Edited | null> {
  const turn = line.then(async () => {
    if (!mine.value) {
      said.value = { text: t("taken", status.value?.holder?.who || t("anotherDesk")), bad: true };
      return null;
    }
    saving.value++;
    changes++;
    try {
      const done = await send<Edited>("POST", api(path), { version: version.value, ...body() });
      const after = changed(plan.value!, done.delta);
      batch(() => {
        plan.value = after.plan;
        version.value = done.version;
        if (status.value) status.value = { ...status.value, undo: done.undo, redo: done.redo };
        if (after.to >= 0) redrawn.value = { from: after.from, to: after.to, turn: redrawn.value.turn + 1 };
        selected.value = selected.value.filter((id) => byId.value.has(id));
        if (said.value?.bad) said.value = null;
      });
      void refresh().catch(complain);
      return done;
    } catch (error) {
      complain(error);
      if (error instanceof Refusal && error.code === "SL-DESK-BEHIND") await reread();
      return null;
    } finally {
      changes++;
      saving.value--;
    }
  });
  line = turn;
  return turn;
}

export function edit(op: Record<string, unknown>): Promise<Edited | null> {
  return changing("/edits", () => ({ edit: op }));
}

export const undo = () => back("/undo", "undone", status.value?.undo);
export const redo = () => back("/redo", "redone", status.value?.redo);

/** Undo or redo, say what it was, and show it: a change out of sight is no change to a person. */
async function back(path: string, word: "undone" | "redone", op: string | undefined): Promise<void> {
  const done = await changing(path, () => ({}));
  if (!done) return;
  tell(t(word, told(`op.${op}`)));
  const shown = done.delta.regions.map((one) => one.after).filter((region): region is Region => region !== null);
  if (!shown.length) return;
  selected.value = shown.map((region) => region.id).slice(0, 100);
  if (shown.every((region) => boxAt(region, frame.value) === null)) go(first(shown[0]!));
}

const place = (at: number, box: Box, corners: Corner[]) => ({
  frame: at,
  x: box.x,
  y: box.y,
  width: Math.max(box.width, 1),
  height: Math.max(box.height, 1),
  corners,
});

export async function draw(box: Box, kind: Kind = "head", shape: Shape = "ellipse", corners: Corner[] = []): Promise<void> {
  const done = await edit({ op: "draw", kind, shape, keys: [place(frame.value, box, corners)] });
  const made = done?.delta.regions[0]?.after;
  if (made) selected.value = [made.id];
}

export function setKey(region: Region, box: Box, corners: Corner[] = []): Promise<Edited | null> {
  return edit({ op: "key", region: region.id, at: place(frame.value, box, corners) });
}

export function changeCorner(region: Region, corner: number, add: boolean): void {
  void edit({ op: "corner", region: region.id, corner, add });
}

export function settle(settings: Partial<Settings>): void {
  void edit({ op: "settings", ...settings });
}

export function nudge(dx: number, dy: number, dw: number, dh: number): void {
  const region = chosen.value[0];
  if (!region) return;
  const box = nearBox(region, frame.value);
  void setKey(region, {
    x: box.x + dx,
    y: box.y + dy,
    width: Math.max(box.width + dw, 4),
    height: Math.max(box.height + dh, 4),
  });
}

export function extend(side: "before" | "after"): void {
  for (const region of chosen.value) void edit({ op: "extend", region: region.id, side });
}

export function split(): void {
  const region = chosen.value[0];
  if (region) void edit({ op: "split", region: region.id, frame: frame.value });
}

export function merge(): void {
  if (chosen.value.length > 1) void edit({ op: "merge", regions: selected.value });
}

export function toMarks(): void {
  const region = chosen.value[0];
  if (!region) return;
  void edit({
    op: "span",
    region: region.id,
    first: inMark.value ?? first(region),
    last: outMark.value ?? last(region),
  });
}

export function decide(decision: Decision, reason = ""): void {
  if (chosen.value.length) void edit({ op: "decide", regions: selected.value, decision, reason });
}

export function form(kind: Kind, shape: Shape): void {
  for (const region of chosen.value) void edit({ op: "form", region: region.id, kind, shape });
}

export function unkey(): void {
  const region = chosen.value[0];
  if (!region) return;
  if (region.keyframes.length > 1 && isKey(region, frame.value)) {
    void edit({ op: "unkey", region: region.id, frame: frame.value });
  } else if (isDrawn(region)) {
    void edit({ op: "remove", region: region.id });
  }
}

/** From the in mark to the end of the out mark's frame, in seconds. */
export function markedSeconds(): { start: number; end: number } | null {
  if (inMark.value === null || outMark.value === null) return null;
  const [a, b] = [Math.min(inMark.value, outMark.value), Math.max(inMark.value, outMark.value)];
  const end = b + 1 < frames.value ? secondsOf(b + 1) : secondsOf(b) + 1 / rate.value;
  return { start: secondsOf(a), end };
}

/** What happens to the sound between the marks; keeping and speaking it anew ask for more first. */
export function sound(action: string, more: Record<string, string> = {}): void {
  const span = markedSeconds();
  if (!span || !mine.value) return;
  if ((action === "keep" || action === "revoice") && Object.keys(more).length === 0) asking.value = action;
  else void edit({ op: "sound", ...span, action, ...more });
}

// ------------------------------------------------------------------------------------------------------------ queue

export function show(item: Item): void {
  batch(() => {
    here.value = item.key;
    selected.value = item.region && byId.value.has(item.region) ? [item.region] : [];
    go(item.frame);
  });
}

/** The next or previous thing to look at; going on says that this one was seen. */
export function walk(step: 1 | -1): void {
  const items = queue.value;
  if (items.length === 0) return;
  const at = items.findIndex((item) => item.key === here.value);
  if (step === 1 && at >= 0 && mine.value && !seen.value.has(items[at]!.key)) {
    const { key } = items[at]!;
    marking.add(key);
    seen.value = new Set(seen.value).add(key);
    void send("POST", api("/seen"), { items: [key] })
      .then(refresh, (error: unknown) => {
        marking.delete(key);
        complain(error);
      })
      .catch(complain);
  }
  if (step === -1) {
    show(items[Math.max(at - 1, 0)]!);
    return;
  }
  const rest = [...items.slice(at + 1), ...items.slice(0, at + 1)];
  const following = rest.find((item) => !seen.value.has(item.key));
  if (following) show(following);
  else here.value = null;
}
