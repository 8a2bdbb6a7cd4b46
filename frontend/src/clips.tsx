// The list of clips: how far each is, how much is doubtful, who has it.
import { computed, signal } from "@preact/signals";
import type { ClipLine } from "./api";
import { clips } from "./state";
import { t, told } from "./words";
import type { Word } from "./words";

const STATES = ["found", "in review", "attacked", "approved", "published"];
const COLUMNS: [Word, (line: ClipLine) => string | number][] = [
  ["name", (line) => line.name],
  ["state", (line) => STATES.indexOf(line.state ?? "")],
  ["risk", (line) => line.risk],
  ["unseen", (line) => line.unseen],
  ["tracks", (line) => line.tracks],
  ["length", (line) => line.seconds],
  ["holder", (line) => (line.holder ? line.holder.who || "…" : "")],
];

const EMPTY: ClipLine = { id: "", name: "", state: "", seconds: 0, tracks: 0, unseen: 0, risk: 0, holder: null, checking: false, trouble: "" };

const filter = signal("");
const state = signal("");
const order = signal<{ column: Word; down: boolean }>({ column: "risk", down: true });

const lines = computed(() => {
  const by = COLUMNS.find(([column]) => column === order.value.column)![1];
  const way = order.value.down ? -1 : 1;
  return clips.value
    .filter((line) => line.name.toLowerCase().includes(filter.value.toLowerCase()))
    .filter((line) => !state.value || line.state === state.value)
    .sort((a, b) => (by(a) < by(b) ? -way : by(a) > by(b) ? way : 0));
});

export function Clips() {
  return (
    <main class="clips">
      <h1>{t("clips")}</h1>
      <p class="filters">
        <input
          type="search"
          placeholder={t("filter")}
          aria-label={t("filter")}
          value={filter.value}
          onInput={(event) => (filter.value = event.currentTarget.value)}
        />
        <select aria-label={t("state")} value={state.value} onChange={(event) => (state.value = event.currentTarget.value)}>
          <option value="">{t("anyState")}</option>
          {STATES.map((name) => <option key={name} value={name}>{told(name)}</option>)}
        </select>
      </p>
      {clips.value.length === 0 ? (
        <p>{t("noClips")}</p>
      ) : (
        <div class="table" tabIndex={0} role="region" aria-label={t("clips")}>
          <table>
            <thead>
              <tr>
                {COLUMNS.map(([column, of]) => {
                  const sorted = order.value.column === column;
                  return (
                    <th
                      key={column}
                      scope="col"
                      class={typeof of(EMPTY) === "number" && column !== "state" ? "number" : ""}
                      aria-sort={sorted ? (order.value.down ? "descending" : "ascending") : "none"}
                    >
                      <button
                        type="button"
                        onClick={() => (order.value = { column, down: sorted ? !order.value.down : column !== "name" })}
                      >
                        {t(column)} {sorted ? (order.value.down ? "▾" : "▴") : ""}
                      </button>
                    </th>
                  );
                })}
              </tr>
            </thead>
            <tbody>{lines.value.map((line) => <Line key={line.id} line={line} />)}</tbody>
          </table>
          {lines.value.length === 0 && <p class="quiet none">{t("noMatch")}</p>}
        </div>
      )}
    </main>
  );
}

/** Minutes and seconds, from an hour on with hours. */
function length(seconds: number): string {
  const whole = Math.round(seconds);
  const pad = (value: number) => String(value).padStart(2, "0");
  const minutes = `${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
  return whole < 3600 ? minutes : `${Math.floor(whole / 3600)}:${minutes}`;
}

function Line({ line }: { line: ClipLine }) {
  if (line.trouble) {
    return (
      <tr class="trouble">
        <th scope="row"><bdi>{line.name}</bdi></th>
        <td colSpan={COLUMNS.length - 1} dir="auto">{line.trouble}</td>
      </tr>
    );
  }
  return (
    <tr class="open" onClick={() => (location.hash = `#/clip/${line.id}`)}>
      <th scope="row"><a href={`#/clip/${line.id}`}><bdi>{line.name}</bdi></a></th>
      <td><span class={`state s${STATES.indexOf(line.state ?? "")}`}>{told(line.state ?? "")}</span>{line.checking && <span class="quiet"> {t("checking")}</span>}</td>
      <td class="number">{line.risk.toFixed(0)}</td>
      <td class="number">{line.unseen}</td>
      <td class="number">{line.tracks}</td>
      <td class="number"><time dir="ltr">{length(line.seconds)}</time></td>
      <td>{line.holder ? (line.holder.mine ? t("you") : <bdi>{line.holder.who || t("anotherDesk")}</bdi>) : ""}</td>
    </tr>
  );
}
