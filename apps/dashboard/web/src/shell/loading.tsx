import { Skeleton, Stack } from '@mantine/core';

export function Loading() {
  return (
    <Stack gap={20} role="status" aria-label="Loading">
      <Skeleton height={220} radius={12} />
      <Skeleton height={320} radius={12} />
    </Stack>
  );
}
