import { useRef } from 'react';
import { ActionIcon, Kbd, TextInput, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconMoon, IconSearch, IconSun, IconX } from '@tabler/icons-react';
import { useLive } from '../live/use-live';
import classes from './header.module.css';

interface HeaderProps {
  readonly search: string;
  readonly onSearch: (text: string) => void;
}

export function Header({ search, onSearch }: HeaderProps) {
  const input = useRef<HTMLInputElement>(null);
  useHotkeys([['/', () => input.current?.focus()]]);
  return (
    <header className={classes.header}>
      <div className={classes.inner}>
        <div className={classes.brand}>
          <img src="./icon.svg" width={26} height={26} alt="" />
          <h1 className={classes.name}>Tinkerbell</h1>
        </div>
        <TextInput
          ref={input}
          className={classes.search}
          size="sm"
          aria-label="Search machines, workflows and activity"
          placeholder="Search host, MAC, address, template, id"
          value={search}
          onChange={(event) => onSearch(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && onSearch('')}
          leftSection={<IconSearch size={15} aria-hidden />}
          rightSection={
            search === '' ? (
              <Kbd size="xs" aria-hidden className={classes.key}>
                /
              </Kbd>
            ) : (
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                aria-label="Clear search"
                onClick={() => onSearch('')}
              >
                <IconX size={14} />
              </ActionIcon>
            )
          }
        />
        <div className={classes.tools}>
          <LinkState />
          <SchemeToggle />
        </div>
      </div>
    </header>
  );
}

function LinkState() {
  const { link } = useLive();
  const text = { connecting: 'Connecting', live: 'Live', lost: 'Offline' }[link.status];
  return (
    <span className={classes.link} data-status={link.status} role="status">
      <span className={classes.dot} aria-hidden />
      {text}
    </span>
  );
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <Tooltip label={`Switch to ${other} mode`}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={`Switch to ${other} mode`}
        onClick={() => setColorScheme(other)}
      >
        {scheme === 'dark' ? <IconSun size={18} /> : <IconMoon size={18} />}
      </ActionIcon>
    </Tooltip>
  );
}
