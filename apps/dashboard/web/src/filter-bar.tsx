import { UnstyledButton } from '@mantine/core';
import classes from './filter-bar.module.css';

interface FilterBarProps<K extends string> {
  readonly label: string;
  readonly choices: readonly { readonly value: K; readonly label: string; readonly count: number }[];
  readonly value: K;
  readonly onChange: (value: K) => void;
}

/** Counts that filter. */
export function FilterBar<K extends string>({ label, choices, value, onChange }: FilterBarProps<K>) {
  return (
    <div className={classes.bar} role="group" aria-label={label}>
      {choices.map((choice) => (
        <UnstyledButton
          key={choice.value}
          className={classes.choice}
          aria-pressed={choice.value === value}
          onClick={() => onChange(choice.value)}
        >
          {choice.label}
          <span className={classes.number}>{choice.count}</span>
        </UnstyledButton>
      ))}
    </div>
  );
}
