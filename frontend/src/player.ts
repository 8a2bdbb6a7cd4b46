// Playing: forwards the film, piece by piece, drawn frame by frame onto the stage behind the plan's covers; backwards
// single stills.
import { computed, effect, signal } from "@preact/signals";
import { send } from "./api";
import { api, base, clip, frame, frameOfSeconds, frames, go, plan, secondsOf, status, times } from "./state";
import { boxAt, cornersAt, frameAt } from "./plan";
import type { Box } from "./plan";
import type { Region } from "./api";

export const speed = signal(0); // 0: standing; 1, 2, 4 forwards; -1, -2, -4 backwards
export const listening = signal(false);
const COVER = "#77716c";
const DRIFT = 0.12; // seconds by which sound and picture may part

interface Screen {
  film: HTMLVideoElement; // never part of the page: what it shows is the original
  piece: number;
}

function screen(): Screen {
  const film = document.createElement("video");
  film.preload = "auto";
  film.muted = true;
  film.playsInline = true;
  return { film, piece: -1 };
}

const screens: [Screen, Screen] = [screen(), screen()]; // one plays, the other has the next piece ready
const sound = document.createElement("audio");
sound.preload = "auto";
let on = screens[0];
let paint: ((index: number, picture: VideoFrame) => void) | null = null;
let callback = 0;
let timer = 0;
let turn = 0; // of starting and stopping
let since = 0; // frame that was played from; until the film has found it, it is at another one

/** Who is told to paint the film's picture in view, which belongs to this frame. */
export function painter(to: ((index: number, picture: VideoFrame) => void) | null): void {
  paint = to;
}

const starts = () => status.value?.reel.starts ?? [];
const pieceOf = (index: number) => starts().findLastIndex((start) => start <= index);
const there = (piece: number) => times.value.length > 0 && (status.value?.reel.ready.includes(piece) ?? false);

/** Whether the film can be played from the frame in view. */
export const atHand = computed(() => there(pieceOf(frame.value)));

/** Ask for the film around a frame; what is there already costs nothing. */
function want(index: number): void {
  const piece = pieceOf(index);
  const next = piece + 1 < starts().length ? piece + 1 : piece;
  if (clip.value && !(there(piece) && there(next))) void send("POST", api(`/film/${index}`)).catch(() => undefined); // the status says why
}

function load(on_: Screen, piece: number): void {
  if (on_.piece === piece) return;
  on_.film.src = api(`/film/${piece}`);
  on_.piece = piece;
}

function empty(): void {
  for (const each of screens) {
    each.film.removeAttribute("src");
    each.film.load();
    each.piece = -1;
  }
  sound.removeAttribute("src");
  sound.load();
}

effect(() => {
  if (clip.value !== null) return;
  stop();
  empty();
});

// The pieces are others when the film turned out to be none that can be cut.
let cut = "";
effect(() => {
  const now = `${clip.value} ${starts().length}`;
  if (now === cut) return;
  cut = now;
  empty();
});

// Whoever stands somewhere for a moment may want to play from there.
let waiting = 0;
effect(() => {
  const index = frame.value;
  clearTimeout(waiting);
  if (speed.peek() === 0 && starts().length > 1) waiting = setTimeout(() => want(index), 400) as unknown as number;
});

effect(() => {
  if (listening.value && speed.value > 0) hear();
  else sound.pause();
});

/** The sound of the frame in view, as fast as the picture. */
function hear(): void {
  if (!listening.peek() || !status.peek()?.reel.sound) return;
  if (!sound.getAttribute("src")) sound.src = api("/sound");
  sound.currentTime = secondsOf(frame.peek());
  sound.playbackRate = speed.peek();
  void sound.play().catch(() => undefined); // no sound is no reason to stop the picture
}

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
  turn++;
  on.film.pause();
  on.film.cancelVideoFrameCallback(callback);
  clearInterval(timer);
  speed.value = 0;
}

function run(at: number): void {
  const from = frame.value >= frames.value - 1 && at > 0 ? 0 : frame.value;
  stop();
  if (plan.value?.clip.still) return;
  speed.value = at;
  if (at > 0) want(from);
  if (at > 0 && there(pieceOf(from))) {
    play(pieceOf(from), from);
    hear();
    return;
  }
  const began = performance.now();
  const start = secondsOf(from);
  timer = setInterval(() => {
    go(frameOfSeconds(start + ((performance.now() - began) / 1000) * at));
    if (frame.value <= 0 || frame.value >= frames.value - 1) stop();
  }, 40) as unknown as number;
}

/** Play a piece from a frame on, and the ones after it. */
function play(piece: number, from: number): void {
  on.film.pause();
  on.film.cancelVideoFrameCallback(callback);
  const other = screens[0] === on ? screens[1] : screens[0];
  if (on.piece !== piece) on = other;
  load(on, piece);
  const now = on;
  since = from;
  now.film.playbackRate = speed.value;
  now.film.currentTime = secondsOf(from) - secondsOf(starts()[piece]!) + 1e-4;
  const ours = turn;
  void now.film.play().catch(() => {
    if (ours === turn) stop(); // else it was interrupted by what came after it
  });
  callback = now.film.requestVideoFrameCallback(shown);
  now.film.onended = () => {
    if (now === on && speed.value > 0) goOn(piece + 1);
  };
  if (piece + 1 < starts().length) {
    want(starts()[piece + 1]!);
    if (there(piece + 1)) load(screens[0] === on ? screens[1] : screens[0], piece + 1);
  }
}

/** The next piece, as soon as it is there. */
function goOn(piece: number): void {
  const next = starts()[piece];
  if (next === undefined) {
    go(frames.value - 1);
    stop();
    return;
  }
  go(next);
  if (there(piece)) {
    play(piece, next);
    return;
  }
  sound.pause();
  want(next);
  timer = setInterval(() => {
    if (!there(piece)) return;
    clearInterval(timer);
    play(piece, next);
    hear();
  }, 100) as unknown as number;
}

function shown(): void {
  if (speed.value <= 0) return;
  // Not the time that the callback is told: on a busy machine the film is at another picture by the time it is drawn.
  const picture = new VideoFrame(on.film);
  const index = frameAt(times.value, times.value[starts()[on.piece] ?? 0]! + picture.timestamp / 1e6 / base.value);
  if (index >= since) {
    paint?.(index, picture);
    frame.value = index;
    if (!sound.paused && Math.abs(sound.currentTime - secondsOf(index)) > DRIFT * speed.value) sound.currentTime = secondsOf(index);
  }
  picture.close();
  callback = on.film.requestVideoFrameCallback(shown);
}

/** Put a picture of the film on a canvas with everything covered that the plan hides in that frame, in one go. */
export function paintCovered(canvas: HTMLCanvasElement, index: number, picture: VideoFrame): void {
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
      context.drawImage(picture, 0, 0, width, height);
      context.restore();
    }
  } else {
    context.drawImage(picture, 0, 0, width, height);
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
