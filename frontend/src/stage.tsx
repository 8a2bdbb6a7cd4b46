// The picture: as the copy will look, the boxes over it, drawing and dragging.
import { batch, effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { send } from "./api";
import type { Corner, Region } from "./api";
import { boxed, moveTo, Pen, placed, putCorner } from "./pen";
import { cornersAt, isKey, nearBox } from "./plan";
import type { Box } from "./plan";
import { listening, paintCovered, painter, speed } from "./player";
import {
  api,
  byId,
  changeCorner,
  chosen,
  clip,
  complain,
  draw,
  drawing,
  frame,
  inFrame,
  mine,
  original,
  outlines,
  pictured,
  plan,
  redrawn,
  selected,
  setKey,
  zoomed,
} from "./state";
import { ahead, fetchStill, sized, still } from "./stills";
import { t } from "./words";

type Grip = "move" | "new" | "corner" | `${"n" | "s" | ""}${"w" | "e" | ""}`;

interface Drag {
  region: Region | null;
  grip: Grip;
  from: { x: number; y: number };
  before: Box;
  box: Box;
  corner: number;
  corners: Corner[]; // of the shape under the pointer; none where it keeps its own
}

export function Stage() {
  return <div class={`stage${original.value ? " bare" : ""}`} aria-busy={!plan.value}>{plan.value && <Frame />}</div>;
}

function Frame() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const svg = useRef<SVGSVGElement>(null);
  const drag = useSignal<Drag | null>(null);
  const clip = plan.value!.clip;

  useEffect(() => {
    const surface = canvas.current!;
    const watch = new ResizeObserver(() => sized(surface.clientWidth * devicePixelRatio));
    watch.observe(surface);
    sized(surface.clientWidth * devicePixelRatio);
    const end = paintStills(surface);
    painter((index, picture) => paintFilm(surface, index, picture));
    return () => {
      painter(null);
      end();
      watch.disconnect();
    };
  }, []);

  const at = (event: PointerEvent) => {
    const area = svg.current!.getBoundingClientRect();
    const view = svg.current!.viewBox.baseVal;
    return {
      x: view.x + ((event.clientX - area.left) / area.width) * view.width,
      y: view.y + ((event.clientY - area.top) / area.height) * view.height,
    };
  };
  const begin = (event: PointerEvent, region: Region | null, grip: Grip, corner = 0) => {
    if (event.button !== 0) return;
    if (region) {
      selected.value = event.shiftKey
        ? [...new Set([...selected.value, region.id])]
        : selected.value.includes(region.id)
          ? selected.value
          : [region.id];
    }
    if (!mine.value || (region && event.shiftKey)) return;
    event.stopPropagation();
    event.preventDefault();
    svg.current!.setPointerCapture(event.pointerId);
    const from = at(event);
    const before = region ? nearBox(region, frame.value) : { ...from, width: 0, height: 0 };
    drag.value = { region, grip, from, before, box: before, corner, corners: [] };
  };
  const onDown = (event: PointerEvent) => {
    if (drawing.value === "free") {
      if (event.button === 0 && mine.value) putCorner(at(event), unit);
    } else if (drawing.value) begin(event, null, "new");
    else selected.value = [];
  };
  const onMove = (event: PointerEvent) => {
    if (drawing.value === "free") moveTo(at(event));
    if (drag.value) drag.value = { ...drag.value, ...dragged(drag.value, at(event)) };
  };
  const onUp = () => {
    const done = drag.value;
    drag.value = null;
    if (!done) return;
    if (done.grip === "new") {
      if (done.box.width > 3 && done.box.height > 3) void draw(done.box).then(() => (drawing.value = null));
    } else if (done.region && (done.corners.length || different(done.before, done.box))) {
      void setKey(done.region, done.box, done.corners);
    }
  };

  const view = zoomed.value ? zoomBox(clip.width, clip.height) : { x: 0, y: 0, width: clip.width, height: clip.height };
  const unit = view.width / 900;
  const scale = clip.width / view.width;
  const boxes = outlines.value || original.value ? inFrame.value : inFrame.value.filter((b) => selected.value.includes(b.region.id));
  const ghosts = chosen.value.filter((region) => !inFrame.value.some((b) => b.region.id === region.id));

  return (
      <div class="frame" style={{ aspectRatio: `${clip.width} / ${clip.height}`, "--ratio": String(clip.width / clip.height) }}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={t("hiddenView")}
          style={{
            transform: `scale(${scale}) translate(${(-view.x / clip.width) * 100}%, ${(-view.y / clip.height) * 100}%)`,
          }}
        />
        <svg
          ref={svg}
          class={drawing.value ? "drawing" : ""}
          viewBox={`${view.x} ${view.y} ${view.width} ${view.height}`}
          onPointerDown={onDown}
          onPointerMove={onMove}
          onPointerUp={onUp}
          onPointerCancel={() => (drag.value = null)}
          role="application"
          aria-label={t("outlines")}
        >
          {boxes.map(({ region, box }) => {
            const held = drag.value?.region?.id === region.id ? drag.value : null;
            return (
              <Outline
                key={region.id}
                region={region}
                box={held?.box ?? box}
                corners={held?.corners.length ? held.corners : cornersAt(region, frame.value)}
                unit={unit}
                picked={selected.value.includes(region.id)}
                begin={begin}
              />
            );
          })}
          {ghosts.map((region) => {
            const held = drag.value?.region?.id === region.id ? drag.value : null;
            return (
              <Outline
                key={region.id}
                region={region}
                box={held?.box ?? nearBox(region, frame.value)}
                corners={held?.corners.length ? held.corners : cornersAt(region, frame.value)}
                unit={unit}
                picked
                ghost
                begin={begin}
              />
            );
          })}
          {drag.value?.grip === "new" && <Form shape="ellipse" box={drag.value.box} corners={[]} class="new" />}
          {drawing.value === "free" && <Pen unit={unit} />}
        </svg>
        {original.value && <p class="warning">{t("originalShown")}</p>}
      </div>
  );
}

function Outline(props: {
  region: Region;
  box: Box;
  corners: Corner[];
  unit: number;
  picked: boolean;
  ghost?: boolean;
  begin: (event: PointerEvent, region: Region, grip: Grip, corner?: number) => void;
}) {
  const { region, box, corners, unit, picked, ghost, begin } = props;
  const grips: Grip[] = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
  const size = 9 * unit;
  return (
    <g
      class={`outline ${region.decision}${picked ? " picked" : ""}${ghost ? " ghost" : ""}`}
      data-region={region.id}
      onPointerDown={(event) => {
        if (!drawing.value) begin(event, region, "move");
      }}
    >
      <Form shape={region.shape} box={box} corners={corners} />
      {picked && isKey(region, frame.value) && (
        <path class="key" d={diamond(box.x + box.width / 2, box.y, 6 * unit)} />
      )}
      {picked &&
        !drawing.value &&
        grips.map((grip) => {
          const x = box.x + (grip.includes("w") ? 0 : grip.includes("e") ? 1 : 0.5) * box.width;
          const y = box.y + (grip.includes("n") ? 0 : grip.includes("s") ? 1 : 0.5) * box.height;
          return (
            <rect
              key={grip}
              class="grip"
              data-grip={grip}
              x={x - size / 2}
              y={y - size / 2}
              width={size}
              height={size}
              style={{ cursor: `${grip}-resize` }}
              onPointerDown={(event) => begin(event, region, grip)}
            />
          );
        })}
      {picked && !drawing.value && <Corners region={region} box={box} corners={corners} unit={unit} begin={begin} />}
    </g>
  );
}

/** Handles of a free shape: a corner each to drag (with Ctrl or Alt: to take away), and a small one half way for one more. */
function Corners(props: {
  region: Region;
  box: Box;
  corners: Corner[];
  unit: number;
  begin: (event: PointerEvent, region: Region, grip: Grip, corner?: number) => void;
}) {
  const { region, box, corners, unit, begin } = props;
  const points = placed(corners, box);
  const act = (event: PointerEvent, corner: number, add: boolean) => {
    event.stopPropagation();
    if (mine.value && event.button === 0) changeCorner(region, corner, add);
  };
  return (
    <>
      {points.map((point, index) => {
        const next = points[(index + 1) % points.length]!;
        return (
          <circle
            key={`middle-${index}`}
            class="half"
            data-middle={index}
            cx={(point.x + next.x) / 2}
            cy={(point.y + next.y) / 2}
            r={3.5 * unit}
            onPointerDown={(event) => act(event, index, true)}
          />
        );
      })}
      {points.map((point, index) => (
        <circle
          key={index}
          class="corner"
          data-corner={index}
          cx={point.x}
          cy={point.y}
          r={5.5 * unit}
          onPointerDown={(event) => {
            if (event.ctrlKey || event.altKey || event.metaKey) act(event, index, false);
            else begin(event, region, "corner", index);
          }}
        />
      ))}
    </>
  );
}

function Form(props: { shape: string; box: Box; corners: Corner[]; class?: string }) {
  const { x, y, width, height } = props.box;
  if (props.shape === "polygon") {
    const points = placed(props.corners, props.box);
    return <polygon class={props.class} points={points.map((point) => `${point.x},${point.y}`).join(" ")} />;
  }
  return props.shape === "ellipse" ? (
    <ellipse class={props.class} cx={x + width / 2} cy={y + height / 2} rx={width / 2} ry={height / 2} />
  ) : (
    <rect class={props.class} x={x} y={y} width={width} height={height} />
  );
}

const diamond = (x: number, y: number, r: number) => `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z`;

function dragged(drag: Drag, to: { x: number; y: number }): { box: Box; corners: Corner[] } {
  if (drag.grip !== "corner") return { box: resized(drag, to), corners: [] };
  const points = placed(cornersAt(drag.region!, frame.value), drag.before);
  const moved = points[drag.corner]!;
  if (Math.hypot(to.x - drag.from.x, to.y - drag.from.y) < 0.5) return { box: drag.before, corners: [] };
  points[drag.corner] = { x: moved.x + to.x - drag.from.x, y: moved.y + to.y - drag.from.y };
  return boxed(points);
}

function resized({ before, from, grip }: Drag, to: { x: number; y: number }): Box {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (grip === "move") return { ...before, x: before.x + dx, y: before.y + dy };
  if (grip === "new") {
    return { x: Math.min(from.x, to.x), y: Math.min(from.y, to.y), width: Math.abs(dx), height: Math.abs(dy) };
  }
  let { x: x1, y: y1 } = before;
  let [x2, y2] = [x1 + before.width, y1 + before.height];
  if (grip.includes("w")) x1 = Math.min(x1 + dx, x2 - 4);
  if (grip.includes("e")) x2 = Math.max(x2 + dx, x1 + 4);
  if (grip.includes("n")) y1 = Math.min(y1 + dy, y2 - 4);
  if (grip.includes("s")) y2 = Math.max(y2 + dy, y1 + 4);
  return { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
}

const different = (a: Box, b: Box) =>
  Math.abs(a.x - b.x) + Math.abs(a.y - b.y) + Math.abs(a.width - b.width) + Math.abs(a.height - b.height) > 0.5;

/** What is shown when zoomed in: the selected box and its surroundings, or the middle. */
function zoomBox(width: number, height: number): Box {
  const region = chosen.value[0];
  const box = region ? nearBox(region, frame.value) : { x: width / 3, y: height / 3, width: width / 3, height: height / 3 };
  const part = Math.min(Math.max((box.width * 3) / width, (box.height * 3) / height, 0.12), 1);
  const [w, h] = [width * part, height * part];
  const x = Math.min(Math.max(box.x + box.width / 2 - w / 2, 0), width - w);
  const y = Math.min(Math.max(box.y + box.height / 2 - h / 2, 0), height - h);
  return { x, y, width: w, height: h };
}

function fit(canvas: HTMLCanvasElement, width: number, height: number): void {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
}

function paintFilm(canvas: HTMLCanvasElement, index: number, picture: VideoFrame): void {
  const { width, height } = plan.value!.clip;
  const across = Math.min(width, 854);
  fit(canvas, across, Math.round((across * height) / width));
  paintCovered(canvas, index, picture);
  canvas.dataset.frame = String(index);
}

/** Keep the canvas on the picture of the frame in view while nothing plays. Says in data-frame which one is there. */
function paintStills(canvas: HTMLCanvasElement): () => void {
  let before = -1;
  let turn = 0;
  return effect(() => {
    const index = frame.value;
    const [ready, bare] = [plan.value !== null && clip.value !== null, original.value];
    void redrawn.value;
    if (!ready || (speed.value > 0 && canvas.dataset.frame === String(index))) return;
    const step = index < before ? -1 : 1;
    before = index;
    const mineTurn = ++turn;
    const put = (bitmap: ImageBitmap) => {
      if (mineTurn !== turn) return;
      fit(canvas, bitmap.width, bitmap.height);
      canvas.getContext("2d", { alpha: false })!.drawImage(bitmap, 0, 0);
      pictured.value = true;
      canvas.dataset.frame = String(index);
      canvas.dataset.view = bare ? "original" : "hidden";
      void ahead(index, step);
    };
    const there = still(index);
    if (there && !bare) put(there);
    else {
      void fetchStill(index).then(put, (error: unknown) => {
        pictured.value = true;
        complain(error);
      });
    }
  });
}

/** Show the original while a key is held; it is noted before anything is shown. */
let sight = 0;
export async function showOriginal(on: boolean): Promise<void> {
  if (!on) {
    clearInterval(sight);
    sight = 0;
    if (!original.value) return;
    original.value = false;
    await send("DELETE", api("/original")).catch(complain);
    return;
  }
  if (sight || !mine.value || speed.value) return;
  const ask = () => send("POST", api("/original"), { frame: frame.value });
  sight = setInterval(() => void ask().catch(complain), 10000) as unknown as number;
  try {
    await ask();
    if (sight) original.value = true;
  } catch (error) {
    complain(error);
  }
}

export async function listen(on: boolean): Promise<void> {
  if (on) await send("POST", api("/original"), { frame: frame.value }).catch(complain);
  listening.value = on;
}

export function select(id: string, more: boolean): void {
  batch(() => {
    if (more) selected.value = selected.value.includes(id) ? selected.value.filter((s) => s !== id) : [...selected.value, id];
    else selected.value = [id];
    if (!byId.value.has(id)) selected.value = [];
  });
}
