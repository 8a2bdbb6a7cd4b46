// The desk's programming interface: the types of src/safelight/desk/answers.py and plan.py, and how to ask.

export type Kind = "face" | "head" | "body" | "text" | "plate" | "screen" | "overlay" | "free";
export type Shape = "box" | "ellipse" | "polygon";
export type Corner = [number, number]; // in shares of the box
export type Decision = "hide" | "reveal" | "propose";
export type How = "found" | "filled" | "followed" | "held" | "drawn";

export interface Keyframe {
  frame: number;
  pts: number;
  x: number;
  y: number;
  width: number;
  height: number;
  corners?: Corner[];
}

export interface Stretch {
  first: number;
  last: number;
  how: How;
  finder: string;
  score: number;
}

export interface Region {
  id: string;
  kind: Kind;
  shape: Shape;
  decision: Decision;
  decided_by: string;
  reason: string;
  score: number;
  keyframes: Keyframe[];
  stretches: Stretch[];
}

export interface Sound {
  start: number;
  end: number;
  action: string;
  kind: string;
  decision: string;
  decided_by: string;
  reason: string;
  text: string;
}

export interface Settings {
  look: string;
  curtain: boolean;
  sound: string;
  trim: boolean;
}

export interface Plan {
  clip: {
    width: number;
    height: number;
    frames: number;
    time_base: [number, number];
    first_pts: number;
    last_pts: number;
    still: boolean;
  };
  settings: Settings;
  cuts: number[];
  regions: Region[];
  sounds: Sound[];
}

export interface Holder {
  who: string;
  mine: boolean;
}

export interface ClipLine {
  id: string;
  name: string;
  state: string | null;
  seconds: number;
  tracks: number;
  unseen: number;
  risk: number;
  holder: Holder | null;
  checking: boolean;
  trouble: string;
}

export interface Progress {
  stage: string;
  done: number;
  total: number;
  failed: string;
  finished: boolean;
}

export interface Status {
  name: string;
  state: string;
  version: number;
  holder: Holder | null;
  undo: string;
  redo: string;
  queue: string;
  unseen: number;
  items: number;
  copy_sha256: string;
  outcome: string;
  sentence: string;
  signed: { who: string; when: string }[];
  missing: string[];
  making: Progress | null;
  film: Progress;
  reel: { starts: number[]; ready: number[]; sound: boolean };
  peaks: number;
  proven: number;
}

export interface Item {
  key: string;
  region: string;
  why: string;
  first: number;
  last: number;
  frame: number;
  weight: number;
}

export interface Session {
  name: string;
  csrf: string;
  signatures: number;
  members: string[];
  kinds: Kind[];
  shapes: Shape[];
  sounds: string[];
  heard: string[];
}

export interface Delta {
  regions: { at: number; before: Region | null; after: Region | null }[];
  sounds_after: Sound[] | null;
  settings_after: Settings | null;
}

export interface Edited {
  version: number;
  delta: Delta;
  undo: string;
  redo: string;
}

/** A refusal of the server: its code, what happened, what to do. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    detail: string,
    readonly nextStep: string,
  ) {
    super(detail);
  }
}

let csrf = "";

export function trust(token: string): void {
  csrf = token;
}

async function checked(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  const told = answer.headers.get("content-type")?.startsWith("application/json") ? await answer.json() : null;
  if (told) throw new Refusal(told.code, told.detail, told.next_step);
  throw new Refusal(String(answer.status), await answer.text(), "");
}

export async function get<T>(path: string): Promise<T> {
  return (await checked(await fetch(path))).json() as Promise<T>;
}

export async function bytes(path: string): Promise<ArrayBuffer> {
  return (await checked(await fetch(path))).arrayBuffer();
}

export async function picture(path: string, signal?: AbortSignal): Promise<Blob> {
  return (await checked(await fetch(path, { signal }))).blob();
}

export async function send<T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
  const answer = await checked(
    await fetch(path, {
      method,
      headers: { "x-safelight": csrf, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      keepalive: method === "DELETE",
    }),
  );
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}
