import { Check, ChevronDown, Search, X } from "lucide-react";
import type { ReactNode } from "react";
import {
  Checkbox as AriaCheckbox,
  SearchField as AriaSearchField,
  Select as AriaSelect,
  TextField as AriaTextField,
  Button,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
  Text,
  TextArea,
} from "react-aria-components";
import { classes } from "./classes";
import css from "./fields.module.css";

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly name?: string;
  readonly type?: "text" | "password" | "datetime-local" | "date";
  readonly autoComplete?: string;
  readonly description?: ReactNode;
  readonly error?: string | undefined;
  readonly isRequired?: boolean;
  readonly isReadOnly?: boolean;
  readonly isDisabled?: boolean;
  readonly autoFocus?: boolean;
  readonly rows?: number;
  readonly isCode?: boolean;
}

export function TextField({ label, description, error, rows, isCode = false, ...props }: TextFieldProps) {
  const look = classes(css["input"], isCode && css["code"]);
  return (
    <AriaTextField {...props} className={css["field"] ?? ""} isInvalid={error !== undefined} validationBehavior="aria">
      <Label className={css["label"] ?? ""}>{label}</Label>
      {rows === undefined ? <Input className={look} /> : <TextArea className={look} rows={rows} spellCheck={false} />}
      {description !== undefined && (
        <Text slot="description" className={css["description"] ?? ""}>
          {description}
        </Text>
      )}
      <FieldError className={css["error"] ?? ""}>{error}</FieldError>
    </AriaTextField>
  );
}

interface SearchFieldProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly clearLabel: string;
}

export function SearchField({ label, placeholder, value, onChange, clearLabel }: SearchFieldProps) {
  return (
    <AriaSearchField className={css["search"] ?? ""} aria-label={label} value={value} onChange={onChange}>
      <Search aria-hidden className={css["lens"]} />
      <Input className={css["searchInput"] ?? ""} placeholder={placeholder} />
      <Button className={css["clear"] ?? ""} aria-label={clearLabel}>
        <X aria-hidden />
      </Button>
    </AriaSearchField>
  );
}

export interface Option<T extends string> {
  readonly id: T;
  readonly label: string;
  readonly detail?: string;
}

interface SelectProps<T extends string> {
  readonly label: string;
  readonly options: readonly Option<T>[];
  readonly value: T;
  readonly onChange: (value: T) => void;
  /** The label stands above, rather than for assistive technology alone. */
  readonly isLabelled?: boolean;
}

export function Select<T extends string>({ label, options, value, onChange, isLabelled = false }: SelectProps<T>) {
  return (
    <AriaSelect
      className={css["field"] ?? ""}
      aria-label={label}
      selectedKey={value}
      onSelectionChange={(key) => {
        const chosen = options.find((option) => option.id === key);
        if (chosen !== undefined) onChange(chosen.id);
      }}
    >
      {isLabelled && <Label className={css["label"] ?? ""}>{label}</Label>}
      <Button className={css["select"] ?? ""}>
        <SelectValue className={css["selected"] ?? ""}>{({ selectedText }) => selectedText}</SelectValue>
        <ChevronDown aria-hidden />
      </Button>
      <Popover className={css["popover"] ?? ""}>
        <ListBox className={css["options"] ?? ""} items={options}>
          {(option) => (
            <ListBoxItem id={option.id} textValue={option.label} className={css["option"] ?? ""}>
              {({ isSelected }) => (
                <>
                  <span className={css["optionText"]}>
                    {option.label}
                    {option.detail !== undefined && <span className={css["optionDetail"]}>{option.detail}</span>}
                  </span>
                  {isSelected && <Check aria-hidden />}
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

interface CheckboxProps {
  readonly children: ReactNode;
  readonly isSelected: boolean;
  readonly onChange: (selected: boolean) => void;
  readonly isDisabled?: boolean;
}

export function Checkbox({ children, ...props }: CheckboxProps) {
  return (
    <AriaCheckbox {...props} className={css["checkbox"] ?? ""}>
      <span className={css["box"]}>
        <Check aria-hidden />
      </span>
      <span>{children}</span>
    </AriaCheckbox>
  );
}
