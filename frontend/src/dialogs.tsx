// What the page asks for: who is there, why somebody may be seen; and the list of keys.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { send } from "./api";
import type { Session } from "./api";
import { KEYS } from "./keys";
import { api, asking, complain, decide, keysOn, plan, session, sound, status } from "./state";
import { t } from "./words";
import type { Word } from "./words";

function Dialog(props: { title: string; close?: () => void; wide?: boolean; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class={props.wide ? "wide" : ""}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        props.close?.();
      }}
    >
      <h2 id="dialog-title">{props.title}</h2>
      {props.children}
    </dialog>
  );
}

export function Dialogs() {
  if (asking.value === "name") return <NameDialog />;
  if (asking.value === "reason") {
    return <ReasonDialog title="reasonTitle" button="revealNow" done={(reason) => decide("reveal", reason)} />;
  }
  if (asking.value === "keep") {
    return <ReasonDialog title="keepTitle" button="keep" done={(reason) => sound("keep", { reason })} />;
  }
  if (asking.value === "revoice") return <WordsDialog />;
  if (asking.value === "copy") return <CopyDialog />;
  if (asking.value === "keys") return <KeysDialog />;
  return null;
}

function NameDialog() {
  const name = useSignal(localStorage.getItem("name") ?? "");
  const members = session.value?.members ?? [];
  const done = async (event: Event) => {
    event.preventDefault();
    try {
      session.value = await send<Session>("POST", "/api/session", { name: name.value });
      localStorage.setItem("name", name.value);
      asking.value = null;
    } catch (error) {
      complain(error);
    }
  };
  return (
    <Dialog title={t("whoTitle")}>
      <form onSubmit={(event) => void done(event)}>
        <p id="who-text">{t("whoText")}</p>
        {members.length ? (
          <select aria-label={t("name")} value={name.value} onChange={(event) => (name.value = event.currentTarget.value)}>
            <option value="" />
            {members.map((member) => <option key={member}>{member}</option>)}
          </select>
        ) : (
          <input
            aria-label={t("name")}
            aria-describedby="who-text"
            autofocus
            required
            maxLength={80}
            dir="auto"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        )}
        <p class="pair"><button type="submit" class="main">{t("go")}</button></p>
      </form>
    </Dialog>
  );
}

function ReasonDialog(props: { title: Word; button: Word; done: (reason: string) => void }) {
  const reason = useSignal("");
  const close = () => (asking.value = null);
  const used = [...new Set(plan.value?.regions.map((region) => region.reason).filter(Boolean))];
  const done = (event: Event) => {
    event.preventDefault();
    props.done(reason.value);
    close();
  };
  return (
    <Dialog title={t(props.title)} close={close}>
      <form onSubmit={done}>
        <p id="reason-text">{t("reasonText")}</p>
        <input
          aria-label={t("reason")}
          aria-describedby="reason-text"
          list="reasons"
          autofocus
          required
          maxLength={500}
          dir="auto"
          value={reason.value}
          onInput={(event) => (reason.value = event.currentTarget.value)}
        />
        <datalist id="reasons">{used.map((told) => <option key={told} value={told} />)}</datalist>
        <p class="pair">
          <button type="button" onClick={close}>{t("cancel")}</button>
          <button type="submit" class="main">{t(props.button)}</button>
        </p>
      </form>
    </Dialog>
  );
}

/** What a synthetic voice is to say. */
function WordsDialog() {
  const text = useSignal("");
  const spoken = useSignal("ar");
  const close = () => (asking.value = null);
  const done = (event: Event) => {
    event.preventDefault();
    sound("revoice", { text: text.value, language: spoken.value });
    close();
  };
  return (
    <Dialog title={t("revoiceTitle")} close={close}>
      <form onSubmit={done}>
        <p id="words-text">{t("revoiceText")}</p>
        <textarea
          aria-label={t("text")}
          aria-describedby="words-text"
          autofocus
          required
          rows={4}
          maxLength={2000}
          dir="auto"
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
        <input
          aria-label={t("language")}
          required
          pattern="[a-z]{2,3}"
          maxLength={3}
          dir="ltr"
          value={spoken.value}
          onInput={(event) => (spoken.value = event.currentTarget.value)}
        />
        <p class="pair">
          <button type="button" onClick={close}>{t("cancel")}</button>
          <button type="submit" class="main">{t("revoice")}</button>
        </p>
      </form>
    </Dialog>
  );
}

/** The copy as it will be published, in the browser's own player. */
function CopyDialog() {
  const close = () => (asking.value = null);
  const address = `${api("/copy")}?sha256=${status.value?.copy_sha256}`;
  return (
    <Dialog title={t("copy")} close={close} wide>
      {plan.value?.clip.still ? <img src={address} alt={t("copy")} /> : <video src={address} controls autofocus />}
      <p class="pair"><button type="button" class="main" onClick={close}>{t("close")}</button></p>
    </Dialog>
  );
}

function KeysDialog() {
  const close = () => (asking.value = null);
  return (
    <Dialog title={t("keys")} close={close}>
      <dl class="keys">
        {KEYS.map(([keys, word]) => (
          <div key={word}>
            <dt dir="ltr">{keys.split(" ").map((key, place) => <kbd key={place}>{key}</kbd>)}</dt>
            <dd>{t(word)}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={keysOn.value}
          onChange={(event) => {
            keysOn.value = event.currentTarget.checked;
            localStorage.setItem("keys", keysOn.value ? "on" : "off");
          }}
        />
        {t("keysOn")}
      </label>
      <p class="pair"><button type="button" class="main" autofocus onClick={close}>{t("close")}</button></p>
    </Dialog>
  );
}
