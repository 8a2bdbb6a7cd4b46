// The pen: a free shape, corner by corner. Enter or the first corner closes it, Backspace takes the last corner back.
import { effect, signal } from "@preact/signals";
import type { Corner } from "./api";
import { draw, drawing } from "./state";
import type { Box } from "./plan";

export interface Point {
  x: number;
  y: number;
}

export const put = signal<Point[]>([]); // corners so far, in pixels of the clip
const pointer = signal<Point | null>(null);
const REACH = 9; // pixels of the screen, about: so near to the first corner closes

effect(() => {
  if (drawing.value !== "free") {
    put.value = [];
    pointer.value = null;
  }
});

/** The box around points, and the points in shares of it. */
export function boxed(points: Point[]): { box: Box; corners: Corner[] } {
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(Math.max(...xs) - x, 1), Math.max(Math.max(...ys) - y, 1)];
  const share = (value: number) => Math.min(Math.max(value, 0), 1);
  return {
    box: { x, y, width, height },
    corners: points.map((point): Corner => [share((point.x - x) / width), share((point.y - y) / height)]),
  };
}

/** Corners in pixels of the clip. */
export function placed(corners: Corner[], box: Box): Point[] {
  return corners.map(([u, v]) => ({ x: box.x + u * box.width, y: box.y + v * box.height }));
}

export function putCorner(at: Point, unit: number): void {
  const first = put.value[0];
  if (first && Math.hypot(first.x - at.x, first.y - at.y) < REACH * unit) closeShape();
  else put.value = [...put.value, at];
}

export function moveTo(at: Point): void {
  pointer.value = at;
}

export function takeBack(): void {
  put.value = put.value.slice(0, -1);
}

export function closeShape(): void {
  if (put.value.length < 3) return;
  const { box, corners } = boxed(put.value);
  drawing.value = null;
  void draw(box, "free", "polygon", corners);
}

export function Pen({ unit }: { unit: number }) {
  const points = put.value;
  const line = pointer.value && points.length ? [...points, pointer.value] : points;
  return (
    <g class="pen">
      <polyline class="new" points={line.map((point) => `${point.x},${point.y}`).join(" ")} />
      {points.map((point, index) => (
        <circle key={index} class={index === 0 && points.length > 2 ? "corner closing" : "corner"} cx={point.x} cy={point.y} r={(index ? 4 : 6) * unit} />
      ))}
    </g>
  );
}
