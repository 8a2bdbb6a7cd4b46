// Pictures of single frames, exactly as the copy will show them; kept for a while, fetched ahead in the direction of travel.
import { effect } from "@preact/signals";
import { picture } from "./api";
import { api, clip, frames, original, plan, redrawn, version } from "./state";

const MOST_KEPT = 96;
const WIDTHS = [640, 960, 1280, 1920, 2560, 3840];
const kept = new Map<string, ImageBitmap>();
const coming = new Map<string, Promise<ImageBitmap>>();
let wanted = 640; // pixels across

/** How large the pictures are shown, in pixels of the screen. */
export function sized(across: number): void {
  const full = plan.value?.clip.width ?? across;
  wanted = Math.min(WIDTHS.find((width) => width >= across) ?? full, full);
}

function key(index: number): string {
  return `${clip.value}/${original.value ? "original" : "hidden"}/${wanted}/${index}`;
}

export function still(index: number): ImageBitmap | undefined {
  freshen();
  return kept.get(key(index));
}

export function fetchStill(index: number): Promise<ImageBitmap> {
  freshen();
  const name = key(index);
  const there = kept.get(name);
  if (there) return Promise.resolve(there);
  const started = coming.get(name);
  if (started) return started;
  const turn = redrawn.value.turn;
  const view = original.value ? "original" : "hidden";
  const asked = picture(api(`/frames/${index}?view=${view}&width=${wanted}&plan=${version.value}`))
    .then((blob) => createImageBitmap(blob))
    .then((bitmap) => {
      if (view === "hidden" && turn === redrawn.value.turn) keep(name, bitmap); // originals are never kept
      return bitmap;
    })
    .finally(() => coming.delete(name));
  coming.set(name, asked);
  return asked;
}

function keep(name: string, bitmap: ImageBitmap): void {
  kept.set(name, bitmap);
  for (const old of kept.keys()) {
    if (kept.size <= MOST_KEPT) break;
    kept.get(old)!.close();
    kept.delete(old);
  }
}

/** Fetch what will probably be looked at next. */
export async function ahead(index: number, step: number): Promise<void> {
  if (original.value) return;
  for (const next of [index + step, index + 2 * step, index + 3 * step, index - step]) {
    if (next < 0 || next >= frames.value || coming.size > 3) continue;
    if (!still(next)) await fetchStill(next).catch(() => undefined);
  }
}

let fresh = 0;

/** Drop the pictures that an edit changed. */
function freshen(): void {
  const { from, to, turn } = redrawn.peek();
  if (turn === fresh) return;
  fresh = turn;
  for (const name of [...kept.keys(), ...coming.keys()]) {
    const index = Number(name.slice(name.lastIndexOf("/") + 1));
    if (index < from || index > to) continue;
    kept.get(name)?.close();
    kept.delete(name);
    coming.delete(name);
  }
}

effect(() => {
  void redrawn.value;
  freshen();
});
