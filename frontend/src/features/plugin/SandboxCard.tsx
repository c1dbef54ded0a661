import { ShieldOff } from "lucide-react";
import type { Loosening } from "@/api/types";
import type { LivePlugin } from "@/live/live";
import { Pill, StateGlyph } from "@/parts/StateMark";
import { Failure, Notice, Skeleton } from "@/ui/notices";
import { Section } from "@/ui/page";
import { words } from "@/words";
import { GRADES, ORIGINS, WEIGHTS } from "./grades";
import css from "./SandboxCard.module.css";
import { useUnits } from "./useUnits";

/** How well the sandbox holds, and what each hole in it lets through. */
export function SandboxCard({ plugin }: { readonly plugin: LivePlugin }) {
  const units = useUnits(plugin);
  const sandbox = units.data?.sandbox;
  return (
    <Section title={words.plugin.sandbox} note={words.units.profile(plugin.sandbox)}>
      {units.isPending && <Skeleton />}
      {units.isError && <Failure error={units.error} onRetry={() => void units.refetch()} />}
      {units.isSuccess && !sandbox && (
        <Notice icon={<ShieldOff aria-hidden />} title={words.units.noSandbox}>
          {words.units.noSandboxHint}
        </Notice>
      )}
      {plugin.sandbox_asked !== null && (
        <p className={css["asked"]}>{words.plugin.sandboxAsked(plugin.sandbox_asked)}</p>
      )}
      {sandbox && (
        <>
          <p className={css["grade"]}>
            <Pill tone={GRADES[sandbox.grade].tone} glyph={GRADES[sandbox.grade].glyph}>
              {GRADES[sandbox.grade].label}
            </Pill>
            <span>{GRADES[sandbox.grade].text}</span>
          </p>
          {sandbox.loosened.length > 0 && (
            <ul className={css["list"]} aria-label={words.units.loosened}>
              {sandbox.loosened.map((each) => (
                <Hole key={each.setting} hole={each} />
              ))}
            </ul>
          )}
        </>
      )}
    </Section>
  );
}

function Hole({ hole }: { readonly hole: Loosening }) {
  const { label, tone } = WEIGHTS[hole.weight];
  return (
    <li className={css["hole"]}>
      <StateGlyph glyph={hole.weight === "minor" ? "ring" : "full"} tone={tone} className={css["mark"]} />
      <div className={css["words"]}>
        <span className={css["meaning"]}>
          <span className={css["weight"]}>{label}: </span>
          {hole.meaning}
        </span>
        <span className={css["because"]}>
          <code>{assigned(hole)}</code>
          <Source hole={hole} />
        </span>
      </div>
    </li>
  );
}

/** A filter of system calls has hundreds of names: what they mean is said already. */
function assigned({ setting, value }: Loosening): string {
  return value.length > 80 ? `${setting}=…` : `${setting}=${value}`;
}

/** Who has put it so. A file that came with Toru is named as what it is for; somebody else's by its path. */
function Source({ hole: { origin, set_by } }: { readonly hole: Loosening }) {
  if (set_by === null) return null;
  if (origin === "profile" || origin === "toru")
    return <span title={set_by}>{words.units.setBy(ORIGINS[origin])}</span>;
  return (
    <span>
      {words.units.setBy(origin === null ? null : `${ORIGINS[origin]},`)} <code>{set_by}</code>
    </span>
  );
}
