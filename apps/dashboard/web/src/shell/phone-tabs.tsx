import { SegmentedControl } from '@mantine/core';

export type PhoneTab = 'machines' | 'workflows' | 'activity';

interface PhoneTabsProps {
  readonly value: PhoneTab;
  readonly onChange: (tab: PhoneTab) => void;
  readonly counts: Readonly<Record<PhoneTab, number>>;
}

export function PhoneTabs({ value, onChange, counts }: PhoneTabsProps) {
  return (
    <SegmentedControl
      fullWidth
      size="sm"
      mb={12}
      aria-label="Part of the page"
      value={value}
      onChange={(tab) => onChange(tab as PhoneTab)}
      data={[
        { value: 'machines', label: `Machines ${counts.machines}` },
        { value: 'workflows', label: `Workflows ${counts.workflows}` },
        { value: 'activity', label: 'Activity' },
      ]}
    />
  );
}
