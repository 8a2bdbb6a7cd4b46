// The lanes: one a track, over time, with cuts, marks, the queue and the sound's waveform. Only what is in view is drawn.
import { computed, effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { How, Region } from "./api";
import { first, last } from "./plan";
import { select } from "./stage";
import {
  clock,
  ends,
  frame,
  frameOfSeconds,
  frames,
  go,
  inMark,
  outMark,
  peaks,
  plan,
  queue,
  secondsOf,
  seen,
  selected,
} from "./state";
import { Thumb } from "./thumb";
import { direction, t, told } from "./words";

const ROW = 30;
const WAVE = 44;
const RULER = 22;
const PEAKS_A_SECOND = 100;
const COLOURS: Record<How, string> = {
  found: "#3fb6a8",
  filled: "#e3b341",
  followed: "#e0803a",
  held: "#e5534b",
  drawn: "#6ea8fe",
};

const from = signal(0); // first frame in view
const span = signal(0); // frames in view; 0: the whole clip
const scroll = signal(0);
const tall = signal(180);
const wide = signal(600);

const shown = computed(() => (span.value === 0 ? Math.max(frames.value, 1) : span.value));
const lanes = computed(() =>
  [...(plan.value?.regions ?? [])].sort((a, b) => first(a) - first(b) || (a.id < b.id ? -1 : 1)),
);
const rows = computed(() => {
  const top = Math.max(Math.floor(scroll.value / ROW) - 1, 0);
  return { top, lanes: lanes.value.slice(top, top + Math.ceil(tall.value / ROW) + 3) };
});

const x = (index: number) => ((index - from.value) / shown.value) * wide.value;
const frameAtX = (at: number) => Math.floor(from.value + (at / wide.value) * shown.value);

/** Zoom by a factor around the frame in view; Infinity shows the whole clip. */
export function zoom(factor: number): void {
  if (factor === Infinity) {
    span.value = from.value = 0;
    return;
  }
  const all = frames.value;
  const next = Math.min(Math.max(shown.value * factor, 12), all);
  const share = (frame.value - from.value) / shown.value;
  span.value = next >= all ? 0 : next;
  from.value = span.value === 0 ? 0 : clamp(frame.value - Math.min(Math.max(share, 0.1), 0.9) * next);
}

/** So near that single frames and the shape of the sound can be told apart. */
export function zoomToFrame(): void {
  span.value = Math.min(48, frames.value);
  from.value = clamp(frame.value - span.value / 2);
}

const clamp = (at: number) => Math.min(Math.max(at, 0), Math.max(frames.value - shown.value, 0));

effect(() => {
  const at = frame.value;
  if (span.value && (at < from.peek() || at >= from.peek() + span.value)) from.value = clamp(at - span.value / 2);
});

export function reset(): void {
  span.value = from.value = scroll.value = 0;
}

export function Timeline() {
  const box = useRef<HTMLDivElement>(null);
  const track = useRef<HTMLCanvasElement>(null);
  const head = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    const watch = new ResizeObserver(() => {
      wide.value = head.current!.clientWidth;
      tall.value = box.current!.clientHeight;
    });
    watch.observe(box.current!);
    watch.observe(head.current!);
    const painted = [
      effect(() => paintLanes(track.current!)),
      effect(() => paintHead(head.current!)),
    ];
    const lead = effect(() => {
      const id = selected.value[0];
      const place = id ? lanes.peek().findIndex((region) => region.id === id) : -1;
      const view = box.current!;
      if (place < 0) return;
      if (place * ROW < view.scrollTop) view.scrollTop = place * ROW;
      else if ((place + 1) * ROW > view.scrollTop + view.clientHeight) view.scrollTop = (place + 2) * ROW - view.clientHeight;
    });
    return () => {
      watch.disconnect();
      [...painted, lead].forEach((end) => end());
    };
  }, []);

  const scrub = (event: PointerEvent) => {
    const surface = event.currentTarget as HTMLCanvasElement;
    if (event.type === "pointerdown") surface.setPointerCapture(event.pointerId);
    else if (!surface.hasPointerCapture(event.pointerId)) return;
    go(frameAtX(event.clientX - surface.getBoundingClientRect().left));
  };
  const pick = (event: PointerEvent) => {
    const area = track.current!.getBoundingClientRect();
    const index = frameAtX(event.clientX - area.left);
    const region = lanes.value[Math.floor((event.clientY - area.top + scroll.value) / ROW)];
    go(index);
    if (region && first(region) <= index && index <= last(region)) select(region.id, event.shiftKey);
  };
  const wheel = (event: WheelEvent) => {
    if (event.ctrlKey) {
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8);
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      from.value = clamp(from.value + ((event.deltaX || event.deltaY) / wide.value) * shown.value);
    }
  };
  const step = (event: KeyboardEvent) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const way = event.key === "ArrowDown" ? 1 : -1;
    const now = lanes.value.findIndex((region) => region.id === selected.value[0]);
    const next = lanes.value[Math.min(Math.max(now + way, 0), lanes.value.length - 1)];
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    select(next.id, event.shiftKey);
  };

  return (
    <section class="timeline" aria-label={t("timeline")} onWheel={wheel}>
      <div class="head">
        <div class="tools">
          <button type="button" title={t("zoomOut")} aria-label={t("zoomOut")} onClick={() => zoom(2)}>−</button>
          <button type="button" title={t("zoomIn")} aria-label={t("zoomIn")} onClick={() => zoom(0.5)}>+</button>
          <button type="button" title={t("zoomFit")} aria-label={t("zoomFit")} onClick={() => zoom(Infinity)}>↔</button>
          <button type="button" title={t("zoomFrame")} aria-label={t("zoomFrame")} onClick={zoomToFrame}>▮</button>
          <span class="legend" aria-hidden="true">
            {(Object.keys(COLOURS) as How[]).map((how) => (
              <span key={how}><i class={how} />{t(`how.${how}`)}</span>
            ))}
          </span>
        </div>
        <div class="over" dir="ltr">
          <canvas
            ref={head}
            onPointerDown={scrub}
            onPointerMove={scrub}
            role="slider"
            tabIndex={0}
            aria-label={t("timeline")}
            aria-valuemin={0}
            aria-valuemax={Math.max(frames.value - 1, 0)}
            aria-valuenow={frame.value}
            aria-valuetext={clock(secondsOf(frame.value))}
          />
          <Playhead />
        </div>
      </div>
      <div
        class="lanes"
        ref={box}
        onScroll={(event) => (scroll.value = event.currentTarget.scrollTop)}
        onKeyDown={step}
        tabIndex={0}
        role="group"
        aria-label={t("tracksLanes")}
      >
        <div class="names" style={{ height: `${lanes.value.length * ROW}px` }}>
          {rows.value.lanes.map((region, place) => (
            <Lane key={region.id} region={region} at={(rows.value.top + place) * ROW} />
          ))}
          {plan.value && lanes.value.length === 0 && <p class="quiet none">{t("noTracks")}</p>}
        </div>
        <div class="over sticky" dir="ltr">
          <canvas ref={track} onPointerDown={pick} aria-hidden="true" />
          <Playhead />
        </div>
      </div>
    </section>
  );
}

function Playhead() {
  const at = x(frame.value + 0.5);
  if (at < 0 || at > wide.value) return null;
  return <div class="playhead" style={{ transform: `translateX(${at}px)` }} />;
}

function Lane({ region, at }: { region: Region; at: number }) {
  const middle = Math.floor((first(region) + last(region)) / 2);
  const open = queue.value.some((item) => item.region === region.id && !seen.value.has(item.key));
  return (
    <button
      type="button"
      class={`lane${selected.value.includes(region.id) ? " picked" : ""}`}
      style={{ transform: `translateY(${at}px)` }}
      aria-pressed={selected.value.includes(region.id)}
      tabIndex={-1}
      data-lane={region.id}
      onClick={(event) => {
        select(region.id, event.shiftKey || event.ctrlKey);
        if (frame.value < first(region) || frame.value > last(region)) go(first(region));
      }}
    >
      <Thumb region={region} at={middle} />
      <bdi>{region.id}</bdi>
      <small>{told(`decision.${region.decision}`)}</small>
      {open && <i class="open" aria-label={t("unseen")} />}
    </button>
  );
}

function prepare(canvas: HTMLCanvasElement, height: number): CanvasRenderingContext2D {
  const ratio = devicePixelRatio;
  const [w, h] = [Math.round(wide.value * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, wide.value, height);
  return context;
}

function paintLanes(canvas: HTMLCanvasElement): void {
  const height = tall.value;
  const context = prepare(canvas, height);
  void direction.value;
  paintCuts(context, height);
  const { top, lanes: visible } = rows.value;
  visible.forEach((region, place) => {
    const y = (top + place) * ROW - scroll.value;
    if (selected.value.includes(region.id)) {
      context.fillStyle = "#ffffff14";
      context.fillRect(0, y, wide.value, ROW);
    }
    paintTrack(context, region, y);
    context.fillStyle = "#ffffff12";
    context.fillRect(0, y + ROW - 1, wide.value, 1);
  });
  paintMarks(context, height);
}

function paintTrack(context: CanvasRenderingContext2D, region: Region, y: number): void {
  const [a, b] = [x(first(region)), x(last(region) + 1)];
  if (b < 0 || a > wide.value) return;
  const length = Math.max(b - a, 2);
  context.globalAlpha = region.decision === "hide" ? 1 : 0.45;
  context.fillStyle = "#4a4540";
  context.fillRect(a, y + 8, length, ROW - 16);
  for (const told of region.stretches) {
    const [p, q] = [x(Math.max(told.first, first(region))), x(Math.min(told.last, last(region)) + 1)];
    if (q < 0 || p > wide.value) continue;
    // Told apart by height as well as by colour: the less is known, the thinner.
    const thin = { found: 0, drawn: 0, filled: 3, followed: 5, held: 6 }[told.how];
    context.globalAlpha = (region.decision === "hide" ? 1 : 0.45) * (told.how === "found" ? 0.45 + 0.55 * told.score : 1);
    context.fillStyle = COLOURS[told.how];
    context.fillRect(p, y + 6 + thin, Math.max(q - p, 1.5), ROW - 12 - 2 * thin);
  }
  context.globalAlpha = 1;
  if (region.decision !== "hide") {
    context.setLineDash(region.decision === "propose" ? [4, 3] : []);
    context.strokeStyle = region.decision === "propose" ? "#e3b341" : "#b9f27c";
    context.strokeRect(a + 0.5, y + 5.5, length - 1, ROW - 11);
    context.setLineDash([]);
  }
  if (shown.value < 600 || selected.value.includes(region.id)) {
    context.fillStyle = "#fff";
    for (const key of region.keyframes) {
      const at = x(key.frame + 0.5);
      if (at > 0 && at < wide.value) context.fillRect(at - 1, y + ROW / 2 - 3, 2, 6);
    }
  }
}

function paintCuts(context: CanvasRenderingContext2D, height: number): void {
  context.fillStyle = "#ffffff38";
  for (const cut of plan.value?.cuts ?? []) {
    const at = x(cut);
    if (at >= 0 && at <= wide.value) context.fillRect(at, 0, 1, height);
  }
}

function paintMarks(context: CanvasRenderingContext2D, height: number): void {
  if (ends.value) {
    // What the copy leaves out at both ends. A picture that still begins inside belongs to it.
    const [start, end] = [x(frameOfSeconds(ends.value.from)), x(frameOfSeconds(ends.value.to))];
    context.fillStyle = "#141110c0";
    context.fillRect(0, 0, Math.max(start, 0), height);
    context.fillRect(end, 0, Math.max(wide.value - end, 0), height);
    context.fillStyle = "#ff8a63";
    for (const at of [start, end]) context.fillRect(at - 0.5, 0, 1, height);
  }
  const [a, b] = [inMark.value, outMark.value];
  context.fillStyle = "#6ea8fe2e";
  if (a !== null && b !== null) context.fillRect(x(Math.min(a, b)), 0, x(Math.max(a, b) + 1) - x(Math.min(a, b)), height);
  context.fillStyle = "#6ea8fe";
  if (a !== null) context.fillRect(x(a), 0, 2, height);
  if (b !== null) context.fillRect(x(b + 1) - 2, 0, 2, height);
}

function paintHead(canvas: HTMLCanvasElement): void {
  const height = RULER + WAVE;
  const context = prepare(canvas, height);
  paintCuts(context, height);
  paintRuler(context);
  paintWave(context);
  for (const item of queue.value) {
    context.fillStyle = seen.value.has(item.key) ? "#6d655e" : "#ff7a50";
    context.fillRect(x(item.frame) - 1, RULER - 4, 3, 4);
  }
  paintMarks(context, height);
}

function paintRuler(context: CanvasRenderingContext2D): void {
  const [start, end] = [secondsOf(from.value), secondsOf(Math.min(from.value + shown.value, frames.value - 1))];
  const steps = [0.04, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600];
  const step = steps.find((s) => (wide.value * s) / Math.max(end - start, 1e-6) > 78) ?? 1200;
  context.fillStyle = "#b3aaa1";
  context.font = "11px system-ui, sans-serif";
  for (let s = Math.ceil(start / step) * step; s <= end; s += step) {
    const at = x(frameOfSeconds(s));
    context.fillRect(at, RULER - 8, 1, 8);
    context.fillText(clock(s).slice(0, step < 1 ? 8 : 5), at + 3, 11);
  }
}

function paintWave(context: CanvasRenderingContext2D): void {
  const middle = RULER + WAVE / 2;
  for (const sound of plan.value?.sounds ?? []) {
    const [a, b] = [x(frameOfSeconds(sound.start)), x(frameOfSeconds(sound.end))];
    if (sound.decision === "propose") {
      context.fillStyle = "#e3b341";
      context.fillRect(a, RULER + WAVE - 3, Math.max(b - a, 2), 3);
      continue;
    }
    context.fillStyle = { silence: "#e5534b66", tone: "#e5534b66", keep: "#b9f27c44" }[sound.action] ?? "#6ea8fe55";
    context.fillRect(a, RULER, Math.max(b - a, 2), WAVE);
    context.save();
    context.beginPath();
    context.rect(a, RULER, b - a, WAVE);
    context.clip();
    context.fillStyle = "#fff";
    context.fillText(told(sound.kind === "name" ? "name" : sound.action), a + 4, RULER + 11);
    context.restore();
  }
  const loud = peaks.value;
  context.fillStyle = "#8d847b";
  if (loud.length === 0) {
    context.fillRect(0, middle, wide.value, 1);
    return;
  }
  const [start, end] = [secondsOf(from.value), secondsOf(Math.min(from.value + shown.value, frames.value - 1))];
  const each = ((end - start) * PEAKS_A_SECOND) / wide.value;
  for (let at = 0; at < wide.value; at++) {
    const one = Math.floor(start * PEAKS_A_SECOND + at * each);
    let most = 0;
    for (let i = one; i <= one + each && i < loud.length; i++) most = Math.max(most, loud[i]!);
    const high = Math.max((most / 255) * (WAVE - 6), 1);
    context.fillRect(at, middle - high / 2, 1, high);
  }
}
