// The columns beside the picture: where to look first; what is selected; sound; the copy and its signature.
import { Act } from "./act";
import { send } from "./api";
import type { Item } from "./api";
import { take } from "./keys";
import { closeShape, put } from "./pen";
import { first, isDrawn, isKey, last } from "./plan";
import {
  api,
  asking,
  byId,
  chosen,
  clock,
  complain,
  decide,
  drawing,
  edit,
  extend,
  form,
  frame,
  frameOfSeconds,
  here,
  inMark,
  left,
  markedSeconds,
  merge,
  mine,
  outMark,
  plan,
  queue,
  refresh,
  secondsOf,
  seen,
  session,
  settle,
  show,
  sound,
  split,
  status,
  toMarks,
  unkey,
  walk,
} from "./state";
import { Thumb } from "./thumb";
import { t, told } from "./words";
import type { Word } from "./words";

export function Queue() {
  const items = queue.value;
  return (
    <section class="queue" aria-label={t("toLook")}>
      <h2>{t("toLook")}</h2>
      <p class={`left${items.length && !left.value.length ? " good" : ""}`} role="status">
        {!plan.value ? t("opening") : left.value.length ? t("left", left.value.length, items.length) : t(items.length ? "allSeen" : "noQueue")}
      </p>
      <progress max={Math.max(items.length, 1)} value={items.length - left.value.length} aria-label={t("unseen")} />
      <p class="pair">
        <Act label={t("previous")} keys="P" disabled={!items.length} onClick={() => walk(-1)} />
        <Act label={t("next")} keys="N" class="main" disabled={!items.length} onClick={() => walk(1)} />
      </p>
      <ol tabIndex={0} aria-label={t("toLook")}>
        {items.slice(0, 400).map((item) => <Place key={item.key} item={item} />)}
      </ol>
    </section>
  );
}

function Place({ item }: { item: Item }) {
  const done = seen.value.has(item.key);
  const region = byId.value.get(item.region);
  return (
    <li>
      <button
        type="button"
        class={`${here.value === item.key ? "here " : ""}${done ? "done" : ""}`}
        aria-current={here.value === item.key ? "true" : undefined}
        data-item={item.key}
        onClick={() => show(item)}
      >
        {region ? <Thumb region={region} at={item.frame} /> : <i class="thumb" />}
        <span class="place">
          <span class={`why ${item.why}`}>{t(`why.${item.why}` as Word)}</span>
          <bdi>{item.region}</bdi>
          {done && <span class="tick">✓<span class="heard"> {t("seen")}</span></span>}
          <time dir="ltr">{clock(secondsOf(item.frame))}</time>
        </span>
      </button>
    </li>
  );
}

export function Selection() {
  const regions = chosen.value;
  const one = regions[0];
  const off = !mine.value;
  return (
    <section aria-label={t("selection")}>
      <h2>{t("selection")}</h2>
      <div class="buttons">
        <Act label={t("draw")} keys="D" class={drawing.value === "box" ? "on" : ""} aria-pressed={drawing.value === "box"} disabled={off} onClick={() => take("box")} />
        <Act label={t("pen")} keys="E" class={drawing.value === "free" ? "on" : ""} aria-pressed={drawing.value === "free"} disabled={off} onClick={() => take("free")} />
      </div>
      {drawing.value && <p role="status">{t(drawing.value === "free" ? "drawingFree" : "drawing")}</p>}
      {drawing.value === "free" && <div class="buttons"><Act label={t("closeShape")} keys="Enter" disabled={put.value.length < 3} onClick={closeShape} /></div>}
      {!one && !drawing.value && <p class="quiet">{t("nothingSelected")}</p>}
      {one && (
        <>
          <p class="who">
            <bdi>{regions.map((region) => region.id).join(", ")}</bdi>
            <br />
            <strong class={one.decision}>{t(`decision.${one.decision}`)}</strong>{" "}
            <span class="quiet">{t("by", one.decided_by)}</span>
          </p>
          {one.reason && <blockquote dir="auto">{one.reason}</blockquote>}
          <p class="pair">
            <label>
              {t("kind")}
              <select disabled={off} value={one.kind} onChange={(event) => form(event.currentTarget.value as typeof one.kind, one.shape)}>
                {session.value?.kinds.map((kind) => <option key={kind} value={kind}>{t(kind)}</option>)}
              </select>
            </label>
            <label>
              {t("shape")}
              <select disabled={off} value={one.shape} onChange={(event) => form(one.kind, event.currentTarget.value as typeof one.shape)}>
                {session.value?.shapes.map((shape) => <option key={shape} value={shape}>{t(shape)}</option>)}
              </select>
            </label>
          </p>
          <div class="buttons">
            <Act label={t("hide")} keys="H" disabled={off || one.decision === "hide"} onClick={() => decide("hide")} />
            <Act label={t("reveal")} keys="R" disabled={off} onClick={() => (asking.value = "reason")} />
            <Act label={t("extendBefore")} keys="[" disabled={off} onClick={() => extend("before")} />
            <Act label={t("extendAfter")} keys="]" disabled={off} onClick={() => extend("after")} />
            <Act label={t("split")} keys="S" disabled={off || frame.value <= first(one) || frame.value > last(one)} onClick={split} />
            <Act label={t("merge", regions.length > 1 ? regions.length : "")} keys="M" disabled={off || regions.length < 2} onClick={merge} />
            <Act label={t("toMarks")} keys="U" disabled={off || (inMark.value === null && outMark.value === null)} onClick={toMarks} />
            <Act
              label={isKey(one, frame.value) && one.keyframes.length > 1 ? t("unkey") : t("remove")}
              keys="Del"
              disabled={off || !((isKey(one, frame.value) && one.keyframes.length > 1) || isDrawn(one))}
              onClick={unkey}
            />
          </div>
        </>
      )}
    </section>
  );
}

export function Sounds() {
  const span = markedSeconds();
  const off = !mine.value || !span;
  const mark = (index: number | null) => (index === null ? "–" : clock(secondsOf(index)));
  return (
    <section aria-label={t("sound")}>
      <h2>{t("sound")}</h2>
      <p>{t("soundMark")}</p>
      <p class="quiet"><bdi dir="ltr">{t("marks", mark(inMark.value), mark(outMark.value))}</bdi></p>
      <div class="buttons">
        {session.value?.sounds.map((action) => (
          <Act
            key={action}
            label={told(action)}
            keys={{ silence: "A", disguise: "G" }[action]}
            disabled={off}
            onClick={() => sound(action)}
            data={{ "data-sound": action }}
          />
        ))}
        <Act label={t("aName")} keys="B" disabled={off} onClick={() => sound("silence", { kind: "name" })} />
      </div>
      <p class="quiet">{t("disguiseWeak")}</p>
      <ul class="spans">
        {plan.value?.sounds.map((span_) => (
          <li key={`${span_.start}-${span_.end}-${span_.decision}`}>
            <bdi dir="ltr">{clock(span_.start)} – {clock(span_.end)}</bdi>{" "}
            <span>
              {span_.decision === "propose" ? t("heard") : told(span_.action)}
              {span_.kind !== "voice" && ` (${told(span_.kind)})`}
            </span>
            {span_.decision === "propose" ? (
              <button
                type="button"
                onClick={() => {
                  inMark.value = frameOfSeconds(span_.start);
                  outMark.value = Math.max(frameOfSeconds(span_.end) - 1, inMark.value);
                }}
              >
                I–O
              </button>
            ) : (
              <button
                type="button"
                disabled={!mine.value}
                aria-label={`${t("removeSpan")} ${clock(span_.start)}`}
                onClick={() => void edit({ op: "unsound", start: span_.start, end: span_.end })}
              >
                ×
              </button>
            )}
            {(span_.text || span_.reason) && <blockquote dir="auto">{span_.text || span_.reason}</blockquote>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What the plan says of the copy as a whole. */
function Whole() {
  const now = plan.value?.settings;
  if (!now) return null;
  const off = !mine.value;
  return (
    <details class="whole">
      <summary>
        {t("wholeCopy")}: {told(now.look)} · {told(now.sound)}{now.trim && " · ✂"}
      </summary>
      <fieldset disabled={off} aria-label={t("wholeCopy")}>
        <label>
          {t("look")}
          <select value={now.look} onChange={(event) => settle({ look: event.currentTarget.value })}>
            {["veil", "solid"].map((look) => <option key={look} value={look}>{told(look)}</option>)}
          </select>
        </label>
        <label>
          {t("restSound")}
          <select value={now.sound} onChange={(event) => settle({ sound: event.currentTarget.value })}>
            {[...new Set(["silence", "disguise", now.sound])].map((rest) => <option key={rest} value={rest}>{told(rest)}</option>)}
          </select>
        </label>
        {!plan.value?.clip.still && (
          <label class="check">
            <input type="checkbox" checked={now.trim} onChange={(event) => settle({ trim: event.currentTarget.checked })} />
            {t("trim")}
          </label>
        )}
      </fieldset>
    </details>
  );
}

export function Copy() {
  const now = status.value;
  if (!now) return null;
  const making = now.making && !now.making.finished ? now.making : null;
  const act = (method: "POST" | "DELETE", path: string) =>
    void send(method, api(path)).then(refresh).catch(complain);
  return (
    <section aria-label={t("copy")} class="copy">
      <h2>{t("copy")}</h2>
      <Whole />
      {making ? (
        <>
          <p role="status">{t(`stage.${making.stage}` as Word)}</p>
          <progress max={making.total || 1} value={making.total ? making.done : undefined} aria-label={t("copy")} />
          <button type="button" onClick={() => act("DELETE", "/copy")}>{t("stop")}</button>
        </>
      ) : (
        <button type="button" class={now.outcome === "held" && !now.missing.includes("old-copy") ? "" : "main"} disabled={!mine.value} onClick={() => act("POST", "/copy")}>{t("make")}</button>
      )}
      {now.making?.failed && (
        <>
          <p class="bad">{t(now.making.failed === "stopped" ? "stopped" : now.making.failed.startsWith("SL-LEAK") ? "leaked" : "notMade")}</p>
          {now.making.failed !== "stopped" && <details><summary>{t("details")}</summary><p class="quiet" dir="auto">{now.making.failed}</p></details>}
        </>
      )}
      {now.outcome === "held" && <p class="good">{t("held")}</p>}
      {now.outcome && now.outcome !== "held" && !now.making?.failed && <p class="bad" dir="auto">{now.sentence}</p>}
      {now.copy_sha256 && !making && (
        <p>
          <button type="button" onClick={() => (asking.value = "copy")}>{t("watch")}</button>
        </p>
      )}
      {now.state === "published" && <p class="good">{t("wentOut")}</p>}
      {now.signed.map((signature) => (
        <p key={signature.who} class="good"><bdi>{t("signedBy", signature.who, signature.when.replace("T", " ").replace("Z", " UTC"))}</bdi></p>
      ))}
      {now.state === "approved" && (
        <button type="button" disabled={!mine.value} onClick={() => act("POST", "/publication")}>{t("publish")}</button>
      )}
      {["approved", "published"].includes(now.state) ? null : now.missing.length > 0 ? (
        <>
          <p>{t("notYet")}</p>
          <ul class="missing">
            {now.missing.map((why) => <li key={why} data-missing={why}>{t(`missing.${why}` as Word, now.unseen)}</li>)}
          </ul>
        </>
      ) : (
        <>
          <p class="quiet">{t("signText")}</p>
          <button type="button" class="main" disabled={!mine.value} onClick={() => act("POST", "/signature")}>{t("sign")}</button>
        </>
      )}
    </section>
  );
}
