// Reading a plan, as src/safelight/plan.py does: which region covers what at a frame.
import type { Corner, Delta, Keyframe, Plan, Region, Stretch } from "./api";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const first = (region: Region): number => region.keyframes[0]!.frame;
export const last = (region: Region): number => region.keyframes[region.keyframes.length - 1]!.frame;

/** The key frames around a covered frame, and how far it is from one to the other. */
function around(region: Region, frame: number): [Keyframe, Keyframe, number] {
  const keys = region.keyframes;
  let low = 0;
  let high = keys.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]!.frame < frame) low = middle + 1;
    else high = middle;
  }
  const b = keys[low]!;
  if (b.frame === frame) return [b, b, 0];
  const a = keys[low - 1]!;
  return [a, b, (frame - a.frame) / (b.frame - a.frame)];
}

/** The box at a frame, between key frames on a straight line; null outside the region's frames. */
export function boxAt(region: Region, frame: number): Box | null {
  if (frame < first(region) || frame > last(region)) return null;
  const [a, b, part] = around(region, frame);
  if (part === 0) return a;
  const mix = (p: number, q: number) => p + (q - p) * part;
  return {
    x: mix(a.x, b.x),
    y: mix(a.y, b.y),
    width: mix(a.x + a.width, b.x + b.width) - mix(a.x, b.x),
    height: mix(a.y + a.height, b.y + b.height) - mix(a.y, b.y),
  };
}

/** The corners of a polygon in shares of its box, at a frame or the nearest that is covered; none for other shapes. */
export function cornersAt(region: Region, frame: number): Corner[] {
  const [a, b, part] = around(region, Math.min(Math.max(frame, first(region)), last(region)));
  const [from, to] = [a.corners ?? [], b.corners ?? []];
  return from.map(([x, y], index): Corner => [x + (to[index]![0] - x) * part, y + (to[index]![1] - y) * part]);
}

/** The box at a frame, or beyond the ends the first or last one. */
export function nearBox(region: Region, frame: number): Box {
  return boxAt(region, Math.min(Math.max(frame, first(region)), last(region)))!;
}

export function isKey(region: Region, frame: number): boolean {
  return region.keyframes.some((key) => key.frame === frame);
}

export function isDrawn(region: Region): boolean {
  return region.stretches.length > 0 && region.stretches.every((stretch) => stretch.how === "drawn");
}

export function stretchAt(region: Region, frame: number): Stretch | undefined {
  return region.stretches.find((stretch) => stretch.first <= frame && frame <= stretch.last);
}

/** The plan after a change, and the frames whose picture it changes. */
export function changed(plan: Plan, delta: Delta): { plan: Plan; from: number; to: number } {
  const regions = [...plan.regions];
  let from = Infinity;
  let to = -1;
  for (const { at, before, after } of delta.regions) {
    for (const region of [before, after]) {
      if (!region) continue;
      from = Math.min(from, first(region));
      to = Math.max(to, last(region));
    }
    const place = before ? regions.findIndex((region) => region.id === before.id) : -1;
    if (place < 0 && after) regions.splice(Math.min(at, regions.length), 0, after);
    else if (after) regions[place] = after;
    else if (place >= 0) regions.splice(place, 1);
  }
  const settings = delta.settings_after ?? plan.settings;
  if (settings.look !== plan.settings.look) [from, to] = [0, plan.clip.frames - 1];
  return { plan: { ...plan, regions, settings, sounds: delta.sounds_after ?? plan.sounds }, from, to };
}

/** Frame number at a presentation time in ticks: the nearest. `times` rises. */
export function frameAt(times: Float64Array, ticks: number): number {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < ticks) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && ticks - times[low - 1]! <= times[low]! - ticks) return low - 1;
  return low;
}
