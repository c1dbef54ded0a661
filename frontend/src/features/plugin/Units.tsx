import { getRouteApi } from "@tanstack/react-router";
import { FileCog, RefreshCw } from "lucide-react";
import { useState } from "react";
import type { DropIn, DropInLine, Setting, SettingGroup, Unit } from "@/api/types";
import { usePlugin } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { IconButton } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { SearchField } from "@/ui/fields";
import { bytes, count } from "@/ui/format";
import { Failure, Notice, Skeleton } from "@/ui/notices";
import { Section } from "@/ui/page";
import { words } from "@/words";
import { fileName, ORIGINS } from "./grades";
import page from "./PluginPage.module.css";
import { SandboxCard } from "./SandboxCard";
import css from "./Units.module.css";
import { useUnits } from "./useUnits";

const route = getRouteApi("/plugins/$id/units");

/** What systemd has in force for a plugin, and which file says so. */
export default function Units() {
  const { id } = route.useParams();
  const plugin = usePlugin(id);
  return plugin ? <OfPlugin plugin={plugin} /> : null;
}

function OfPlugin({ plugin }: { readonly plugin: LivePlugin }) {
  const units = useUnits(plugin);
  const [wanted, setWanted] = useState("");
  const { service, socket } = units.data ?? {};
  return (
    <div className={page["columns"]}>
      <div className={page["column"]}>
        <Section
          title={words.units.title}
          note={words.units.note}
          actions={
            <IconButton label={words.units.again} onPress={() => void units.refetch()}>
              <RefreshCw aria-hidden />
            </IconButton>
          }
        >
          {units.isPending && <Skeleton lines={6} />}
          {units.isError && <Failure error={units.error} onRetry={() => void units.refetch()} />}
          {units.isSuccess && !service && !socket && (
            <Notice icon={<FileCog aria-hidden />} title={words.units.none}>
              {words.units.noneHint}
            </Notice>
          )}
          {(service || socket) && (
            <div className={css["tools"]}>
              <SearchField
                label={words.units.search}
                placeholder={words.units.search}
                clearLabel={words.clear}
                value={wanted}
                onChange={setWanted}
              />
            </div>
          )}
          {service && <Settings unit={service} wanted={wanted} />}
          {socket && <Settings unit={socket} wanted={wanted} />}
        </Section>
      </div>
      <div className={page["column"]}>
        <SandboxCard plugin={plugin} />
        {service && <DropIns unit={service} />}
        {socket && socket.drop_ins.length > 0 && <DropIns unit={socket} />}
      </div>
    </div>
  );
}

function Settings({ unit, wanted }: { readonly unit: Unit; readonly wanted: string }) {
  const groups = unit.groups
    .map((group) => ({ ...group, settings: group.settings.filter((setting) => fits(setting, wanted)) }))
    .filter((group) => group.settings.length > 0);
  return (
    <section className={css["unit"]} aria-label={unit.name}>
      <h3 className={css["unitName"]}>
        <code>{unit.name}</code>
        <span className={css["state"]}>
          {unit.active_state} ({unit.sub_state})
        </span>
      </h3>
      {unit.needs_reload && <p className={css["warning"]}>{words.units.needsReload}</p>}
      {groups.length === 0 && <p className={css["nothing"]}>{words.units.noneFound}</p>}
      {groups.map((group) => (
        <Group key={group.name} group={group} />
      ))}
    </section>
  );
}

function Group({ group }: { readonly group: SettingGroup }) {
  return (
    <table className={css["table"]}>
      <caption className={css["caption"]}>{words.units.groups[group.name]}</caption>
      <tbody>
        {group.settings.map((setting) => (
          <tr key={setting.name} className={classes(css["row"], setting.origin === "ops" && css["ops"])}>
            <th scope="row" className={css["name"]}>
              {setting.name}
            </th>
            <td className={css["value"]}>{shown(setting)}</td>
            <td className={css["by"]}>
              {setting.origin !== null && setting.set_by !== null && (
                <span title={setting.set_by}>
                  {setting.origin === "ops" ? fileName(setting.set_by) : ORIGINS[setting.origin]}
                </span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function DropIns({ unit }: { readonly unit: Unit }) {
  return (
    <Section title={words.units.dropIns} note={unit.name}>
      <ol className={css["files"]}>
        {unit.drop_ins.map((file) => (
          <File key={file.path} file={file} />
        ))}
      </ol>
      <p className={css["order"]}>{words.units.order}</p>
    </Section>
  );
}

function File({ file }: { readonly file: DropIn }) {
  const lines = file.settings ?? [];
  const summary = (
    <>
      <code className={css["path"]}>{file.path}</code>
      <span className={css["origin"]}>{ORIGINS[file.origin]}</span>
    </>
  );
  return (
    <li className={css["file"]} data-origin={file.origin}>
      {lines.length === 0 ? (
        <div className={css["fileHead"]}>{summary}</div>
      ) : (
        <details className={css["details"]} open={file.origin === "ops"}>
          <summary className={css["fileHead"]}>{summary}</summary>
          <ul className={css["lines"]}>
            {lines.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a file may say the same thing twice
              <Line key={index} line={line} />
            ))}
          </ul>
        </details>
      )}
      {file.settings === null && <p className={css["fileNote"]}>{words.units.unreadable}</p>}
      {file.settings !== null && lines.length === 0 && <p className={css["fileNote"]}>{words.units.empty}</p>}
      {file.target !== null && lines.length > 0 && <p className={css["fileNote"]}>→ {file.target}</p>}
      {file.newer_than_run && <p className={css["warning"]}>{words.units.newer}</p>}
    </li>
  );
}

function Line({ line }: { readonly line: DropInLine }) {
  const isOverridden = !line.in_force && line.value !== null;
  return (
    <li className={classes(css["line"], isOverridden && css["overridden"])}>
      <code>
        {line.name}={line.value ?? words.units.hidden}
      </code>
    </li>
  );
}

function fits(setting: Setting, wanted: string): boolean {
  const text = wanted.trim().toLowerCase();
  // What nobody has set is found, but not in the way.
  if (text === "") return setting.value !== "" || setting.set_by !== null;
  return `${setting.name}=${setting.value} ${setting.set_by ?? ""}`.toLowerCase().includes(text);
}

/** A value as a person reads it: `512 MiB`, `16 s`, `312 system calls`. */
function shown({ value, kind }: Setting): string {
  if (value === "infinity") return words.units.unlimited;
  if (value === "") return words.unknown;
  switch (kind) {
    case "bytes":
      return bytes(Number(value));
    case "seconds":
      return value === "0" ? words.units.off : `${value} s`;
    case "calls":
      return words.units.calls(count(value.replace(/^~/, "").split(" ").length), value.startsWith("~"));
    case "flag":
    case "text":
      return value === "~" ? words.units.everything : value;
  }
}
