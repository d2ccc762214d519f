import type { ReactNode } from 'react';
import { UnstyledButton } from '@mantine/core';
import classes from './card.module.css';

interface CardProps {
  readonly title: string;
  readonly count?: number;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}

/** One named part of the page. */
export function Card({ title, count, aside, children, className }: CardProps) {
  const id = `title-${title.toLowerCase().replaceAll(' ', '-')}`;
  return (
    <section className={`${classes.card} ${className ?? ''}`} aria-labelledby={id}>
      <div className={classes.head}>
        <h2 className={classes.title} id={id}>
          {title}
          {count !== undefined && <span className={classes.count}>{count}</span>}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

export function Nothing({ children }: { readonly children: ReactNode }) {
  return <p className={classes.nothing}>{children}</p>;
}

export function ShowMore({ hidden, onClick }: { readonly hidden: number; readonly onClick: () => void }) {
  return hidden <= 0 ? null : (
    <UnstyledButton className={classes.more} onClick={onClick}>
      Show {hidden} more
    </UnstyledButton>
  );
}
