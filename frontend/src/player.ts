// Playing: forwards the film, drawn frame by frame onto the stage behind the plan's covers; backwards single stills.
import { effect, signal } from "@preact/signals";
import { api, base, clip, frame, frameOfSeconds, frames, go, plan, secondsOf, status, times } from "./state";
import { boxAt, cornersAt, frameAt } from "./plan";
import type { Box } from "./plan";
import type { Region } from "./api";

export const speed = signal(0); // 0: standing; 1, 2, 4 forwards; -1, -2, -4 backwards
export const listening = signal(false);
const COVER = "#77716c";

const film = document.createElement("video"); // never part of the page: what it shows is the original
film.preload = "auto";
film.muted = true;
film.playsInline = true;
let paint: ((index: number) => void) | null = null;
let loaded = "";
let callback = 0;
let timer = 0;

/** Who is told to paint the film's picture in view, which belongs to this frame. */
export function painter(to: ((index: number) => void) | null): void {
  paint = to;
}

effect(() => {
  film.muted = !listening.value;
});

function ready(): boolean {
  if (!status.value?.film.finished || !clip.value) return false;
  if (loaded !== clip.value) {
    film.src = api("/film");
    loaded = clip.value;
  }
  return true;
}

effect(() => {
  if (clip.value === null) {
    stop();
    film.removeAttribute("src");
    film.load();
    loaded = "";
  } else ready();
});

export function press(key: "j" | "k" | "l"): void {
  if (key === "k") {
    stop();
    return;
  }
  const way = key === "l" ? 1 : -1;
  const now = speed.value;
  run(now * way > 0 ? way * Math.min(Math.abs(now) * 2, 4) : way);
}

export function toggle(): void {
  if (speed.value) stop();
  else run(1);
}

export function stop(): void {
  film.pause();
  film.cancelVideoFrameCallback(callback);
  clearInterval(timer);
  speed.value = 0;
}

function run(at: number): void {
  const from = frame.value >= frames.value - 1 && at > 0 ? 0 : frame.value;
  stop();
  if (plan.value?.clip.still) return;
  speed.value = at;
  if (at > 0 && ready() && times.value.length) {
    film.playbackRate = at;
    film.currentTime = (times.value[from]! - times.value[0]!) * base.value + 1e-4;
    void film.play().catch(stop);
    callback = film.requestVideoFrameCallback(shown);
    film.onended = () => {
      go(frames.value - 1);
      stop();
    };
    return;
  }
  const began = performance.now();
  const start = secondsOf(from);
  timer = setInterval(() => {
    go(frameOfSeconds(start + ((performance.now() - began) / 1000) * at));
    if (frame.value <= 0 || frame.value >= frames.value - 1) stop();
  }, 40) as unknown as number;
}

function shown(_: number, told: VideoFrameCallbackMetadata): void {
  if (speed.value <= 0) return;
  const index = frameAt(times.value, times.value[0]! + told.mediaTime / base.value);
  paint?.(index);
  frame.value = index;
  callback = film.requestVideoFrameCallback(shown);
}

/** Put the film's picture on a canvas with everything covered that the plan hides in that frame, in one go. */
export function paintCovered(canvas: HTMLCanvasElement, index: number): void {
  const context = canvas.getContext("2d", { alpha: false })!;
  const now = plan.value!;
  const { width, height } = now.clip;
  context.setTransform(canvas.width / width, 0, 0, canvas.height / height, 0, 0);
  if (now.settings.curtain) {
    context.fillStyle = COVER;
    context.fillRect(0, 0, width, height);
    for (const region of now.regions) {
      const box = region.decision === "reveal" ? boxAt(region, index) : null;
      if (!box) continue;
      context.save();
      trace(context, region, index, box, 0);
      context.clip();
      context.drawImage(film, 0, 0, width, height);
      context.restore();
    }
  } else {
    context.drawImage(film, 0, 0, width, height);
  }
  context.fillStyle = context.strokeStyle = COVER;
  const rim = width / canvas.width + 1;
  context.lineWidth = 2 * rim;
  for (const region of now.regions) {
    const box = region.decision === "hide" ? boxAt(region, index) : null;
    if (!box) continue;
    trace(context, region, index, box, rim);
    context.fill();
    if (region.shape === "polygon") context.stroke();
  }
}

/** A region's outline as the path; grown by a rim, except a polygon, whose path is to be stroked as wide. */
function trace(context: CanvasRenderingContext2D, region: Region, index: number, box: Box, rim: number): void {
  const [rx, ry] = [box.width / 2 + rim, box.height / 2 + rim];
  const [cx, cy] = [box.x + box.width / 2, box.y + box.height / 2];
  context.beginPath();
  if (region.shape === "polygon") {
    for (const [u, v] of cornersAt(region, index)) context.lineTo(box.x + u * box.width, box.y + v * box.height);
    context.closePath();
  } else if (region.shape === "box") context.rect(cx - rx, cy - ry, 2 * rx, 2 * ry);
  else context.ellipse(cx, cy, rx, ry, 0, 0, 2 * Math.PI);
}
