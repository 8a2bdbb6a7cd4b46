// The columns beside the picture: where to look first; what is selected; sound; the copy and its signature.
import { send } from "./api";
import { isDrawn, isKey } from "./plan";
import {
  api,
  asking,
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
  show,
  sound,
  split,
  status,
  toMarks,
  unkey,
  walk,
} from "./state";
import { t, told } from "./words";
import type { Word } from "./words";

export function Queue() {
  const items = queue.value;
  return (
    <section class="queue" aria-label={t("toLook")}>
      <h2>{t("toLook")}</h2>
      <p class="left" role="status">
        {left.value.length ? t("left", left.value.length, items.length) : t("allSeen")}
      </p>
      <progress max={Math.max(items.length, 1)} value={items.length - left.value.length} aria-label={t("unseen")} />
      <p class="pair">
        <button type="button" onClick={() => walk(-1)}>{t("previous")} <kbd>P</kbd></button>
        <button type="button" class="main" onClick={() => walk(1)}>{t("next")} <kbd>N</kbd></button>
      </p>
      <ol tabIndex={0} aria-label={t("toLook")}>
        {items.slice(0, 400).map((item) => (
          <li key={item.key}>
            <button
              type="button"
              class={`${here.value === item.key ? "here " : ""}${seen.value.has(item.key) ? "done" : ""}`}
              aria-current={here.value === item.key ? "true" : undefined}
              data-item={item.key}
              onClick={() => show(item)}
            >
              <span class={`why ${item.why}`}>{t(`why.${item.why}` as Word)}</span>
              <bdi>{item.region}</bdi>
              <time dir="ltr">{clock(secondsOf(item.frame))}</time>
              {seen.value.has(item.key) && <span class="tick">✓ <span class="quiet">{t("seen")}</span></span>}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function Selection() {
  const regions = chosen.value;
  const one = regions[0];
  const off = !mine.value;
  return (
    <section aria-label={t("selection")}>
      <h2>{t("selection")}</h2>
      <p>
        <button type="button" class={drawing.value ? "on" : ""} aria-pressed={drawing.value} disabled={off} onClick={() => (drawing.value = !drawing.value)}>
          {t("draw")}
        </button>
      </p>
      {drawing.value && <p role="status">{t("drawing")}</p>}
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
            <button type="button" disabled={off || one.decision === "hide"} onClick={() => decide("hide")}>{t("hide")}</button>
            <button type="button" disabled={off} onClick={() => (asking.value = "reason")}>{t("reveal")}</button>
            <button type="button" disabled={off} onClick={() => extend("before")}>{t("extendBefore")}</button>
            <button type="button" disabled={off} onClick={() => extend("after")}>{t("extendAfter")}</button>
            <button type="button" disabled={off} onClick={split}>{t("split")}</button>
            <button type="button" disabled={off || regions.length < 2} onClick={merge}>{t("merge", regions.length > 1 ? regions.length : "")}</button>
            <button type="button" disabled={off || (inMark.value === null && outMark.value === null)} onClick={toMarks}>{t("toMarks")}</button>
            <button
              type="button"
              disabled={off || !((isKey(one, frame.value) && one.keyframes.length > 1) || isDrawn(one))}
              onClick={unkey}
            >
              {isKey(one, frame.value) && one.keyframes.length > 1 ? t("unkey") : t("remove")}
            </button>
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
      <p class="quiet">{t("wholeSound", told(plan.value?.settings.sound ?? ""))}</p>
      <p>{t("soundMark")}</p>
      <p class="quiet"><bdi dir="ltr">{t("marks", mark(inMark.value), mark(outMark.value))}</bdi></p>
      <div class="buttons">
        {session.value?.sounds.map((action) => (
          <button key={action} type="button" disabled={off} onClick={() => sound(action)} data-sound={action}>
            {told(action)} {action === "silence" && <kbd>A</kbd>}{action === "disguise" && <kbd>G</kbd>}
          </button>
        ))}
        <button type="button" disabled={off} onClick={() => sound("silence", { kind: "name" })}>{t("aName")} <kbd>B</kbd></button>
      </div>
      <ul class="spans">
        {plan.value?.sounds.map((span_) => (
          <li key={`${span_.start}-${span_.end}-${span_.decision}`}>
            <bdi dir="ltr">{clock(span_.start)} – {clock(span_.end)}</bdi>{" "}
            {span_.decision === "propose" ? t("heard") : told(span_.action)}
            {span_.kind !== "voice" && ` (${told(span_.kind)})`}{" "}
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

export function Copy() {
  const now = status.value;
  if (!now) return null;
  const making = now.making && !now.making.finished ? now.making : null;
  const act = (method: "POST" | "DELETE", path: string) =>
    void send(method, api(path)).then(refresh).catch(complain);
  return (
    <section aria-label={t("copy")} class="copy">
      <h2>{t("copy")}</h2>
      {making ? (
        <>
          <p role="status">{t(`stage.${making.stage}` as Word)}</p>
          <progress max={making.total || 1} value={making.total ? making.done : undefined} aria-label={t("copy")} />
          <button type="button" onClick={() => act("DELETE", "/copy")}>{t("stop")}</button>
        </>
      ) : (
        <button type="button" class="main" disabled={!mine.value} onClick={() => act("POST", "/copy")}>{t("make")}</button>
      )}
      {now.making?.failed && <p class="bad" dir="auto">{now.making.failed}</p>}
      {now.outcome && <p class={now.outcome === "held" ? "good" : "bad"} dir="auto">{now.outcome === "held" ? t("held") : now.sentence}</p>}
      {now.copy_sha256 && !making && (
        <p>
          <button type="button" onClick={() => (asking.value = "copy")}>{t("watch")}</button>
        </p>
      )}
      {now.signed.map((signature) => (
        <p key={signature.who} class="good">{t("signedBy", signature.who, signature.when.replace("T", " ").replace("Z", " UTC"))}</p>
      ))}
      {now.missing.length > 0 ? (
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
