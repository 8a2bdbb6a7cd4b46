// A button for an act: what it does and, beside it, the key that does the same.
import type { ButtonHTMLAttributes } from "preact";

interface Props extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "label"> {
  label: string;
  keys?: string;
  data?: Record<string, string>;
}

export function Act({ label, keys, data, ...rest }: Props) {
  return (
    <button type="button" {...rest} {...data} title={rest.title ?? label}>
      <span class="what">{label}</span>
      {keys && <kbd dir="ltr">{keys}</kbd>}
    </button>
  );
}
