// The page: which view is shown, the bar above it, what runs by itself.
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { Act } from "./act";
import { get, Refusal, trust } from "./api";
import type { Session } from "./api";
import { Clips } from "./clips";
import { Dialogs } from "./dialogs";
import { listenToKeys } from "./keys";
import { Copy, Queue, Selection, Sounds } from "./panels";
import { atHand, listening, press, speed } from "./player";
import { listen, showOriginal, Stage } from "./stage";
import {
  asking,
  clip,
  clock,
  close,
  complain,
  frame,
  frames,
  go,
  keepHold,
  list,
  mine,
  open,
  original,
  outlines,
  redo,
  refresh,
  said,
  saving,
  secondsOf,
  session,
  status,
  undo,
} from "./state";
import { reset, Timeline } from "./timeline";
import { direction, language, LANGUAGES, speak, t, told } from "./words";
import type { Language } from "./words";

const ready = signal(false);

function Bar() {
  const now = status.value;
  return (
    <header class="bar">
      {clip.value ? <a href="#/" class="back">{t("back")}</a> : <strong class="brand">Safelight</strong>}
      {clip.value && now && (
        <>
          <h1><bdi>{now.name}</bdi></h1>
          <span class="state">{told(now.state)}</span>
          <button type="button" disabled={!mine.value || !now.undo} onClick={() => void undo()} title={`${told(`op.${now.undo}`)} (Ctrl Z)`}>↶ {t("undo")}</button>
          <button type="button" disabled={!mine.value || !now.redo} onClick={() => void redo()} title={`${told(`op.${now.redo}`)} (Ctrl Y)`}>↷ {t("redo")}</button>
          <span class="saved" role="status">{saving.value ? t("saving") : t("saved")}</span>
          {now.proven < 1 && <span class="quiet film" title={t("provingText")}>{t("proving", Math.floor(100 * now.proven))}</span>}
          {!atHand.value && !now.reel.ready.length && (
            <span class={now.film.failed ? "bad film" : "quiet film"} title={now.film.failed}>
              {now.film.failed ? t("noFilm") : t("filmMaking", Math.floor((100 * now.film.done) / Math.max(now.film.total, 1)))}
            </span>
          )}
        </>
      )}
      <span class="space" />
      {session.value?.name && <bdi class="quiet">{session.value.name}</bdi>}
      <button type="button" onClick={() => (asking.value = "keys")}>{t("keys")} <kbd>?</kbd></button>
      <select aria-label={t("language")} value={language.value} onChange={(event) => speak(event.currentTarget.value as Language)}>
        {Object.entries(LANGUAGES).map(([code, name]) => <option key={code} value={code}>{name}</option>)}
      </select>
    </header>
  );
}

function Transport() {
  return (
    <div class="transport" role="group" aria-label={t("play")} dir="ltr">
      <button type="button" aria-label={t("playBack")} title={t("playBack")} onClick={() => press("j")}>◀◀</button>
      <button type="button" aria-label={t("stepBack")} title={t("stepBack")} onClick={() => go(frame.value - 1)}>❙◀</button>
      {speed.value ? (
        <button type="button" class="main" aria-label={t("pause")} title={t("pause")} onClick={() => press("k")}>❚❚</button>
      ) : (
        <button type="button" class="main" aria-label={t("play")} title={t("play")} onClick={() => press("l")}>▶</button>
      )}
      <button type="button" aria-label={t("stepOn")} title={t("stepOn")} onClick={() => go(frame.value + 1)}>▶❙</button>
      <output class="clock" data-frame={frame.value}>
        {clock(secondsOf(frame.value))} <span class="quiet" dir={direction.value}>{t("frameOf", frame.value, Math.max(frames.value - 1, 0))}</span>
      </output>
      {speed.value !== 0 && <span class="speed">{speed.value}×</span>}
      <span class="space" />
      <Act label={t("outlines")} keys="T" dir={direction.value} aria-pressed={outlines.value} class={outlines.value ? "on" : ""} onClick={() => (outlines.value = !outlines.value)} />
      <Act
        label={t("original")}
        keys="V"
        dir={direction.value}
        class={original.value ? "warn" : ""}
        disabled={!mine.value}
        onPointerDown={() => void showOriginal(true)}
        onPointerUp={() => void showOriginal(false)}
        onPointerLeave={() => void showOriginal(false)}
      />
      <Act label={t("mute")} dir={direction.value} aria-pressed={listening.value} class={listening.value ? "warn" : ""} disabled={!mine.value} onClick={() => void listen(!listening.value)} />
    </div>
  );
}

function Review() {
  const holder = status.value?.holder;
  return (
    <main class="review">
      {holder && !holder.mine && <p class="taken" role="alert">{t("taken", holder.who || t("anotherDesk"))}</p>}
      <Queue />
      <div class="middle">
        <Stage key={clip.value ?? ""} />
        <Transport />
      </div>
      <div class="side">
        <Selection />
        <Sounds />
        <Copy />
      </div>
      <Timeline key={`lanes-${clip.value}`} />
    </main>
  );
}

function Page() {
  if (!ready.value) return <p role="status">…</p>;
  return (
    <>
      <Bar />
      {said.value && (
        <p class={`said${said.value.bad ? " bad" : ""}`} role={said.value.bad ? "alert" : "status"} dir="auto">
          {said.value.text} <button type="button" onClick={() => (said.value = null)} aria-label={t("close")}>×</button>
        </p>
      )}
      {clip.value ? <Review /> : <Clips />}
      <Dialogs />
    </>
  );
}

/** When the person has said who is there. */
function named(): Promise<void> {
  return new Promise((done) => {
    const end = effect(() => {
      if (session.value?.name) queueMicrotask(() => (end(), done()));
    });
  });
}

async function follow(): Promise<void> {
  const id = /^#\/clip\/([0-9a-z-]+)$/.exec(location.hash)?.[1] ?? null;
  if (!session.value?.name) asking.value = "name";
  await named();
  if (clip.value && clip.value !== id) await close();
  if (id && clip.value !== id) {
    reset();
    await open(id);
  }
}

let away = false;

/** Ask once a second; say when nobody answers, and when somebody does again. */
async function watch(): Promise<void> {
  try {
    await (clip.value ? refresh() : list());
    if (away) said.value = null;
    away = false;
  } catch (error) {
    if (!away) complain(error);
    away = true;
    if (error instanceof Refusal && error.code === "SL-PLAN-OTHER-CLIP") location.hash = "#/"; // nothing of it is to be seen
  }
}

async function start(): Promise<void> {
  session.value = await get<Session>("/api/session");
  trust(session.value.csrf);
  await list();
  ready.value = true;
  listenToKeys();
  addEventListener("hashchange", () => void follow().catch(complain));
  setInterval(() => void watch(), 1000);
  setInterval(() => void keepHold(), 5000);
  addEventListener("pagehide", () => {
    if (clip.value && mine.value) void close();
  });
  await follow();
}

effect(() => {
  document.documentElement.lang = language.value;
  document.documentElement.dir = direction.value;
  document.title = `${status.value?.name ? `${status.value.name} · ` : ""}Safelight`;
});

render(<Page />, document.body);
start().catch((error: unknown) => {
  ready.value = true;
  complain(error);
});
