import { readFileSync, writeFileSync } from 'node:fs';

/** Linux capabilities in the order of their bits (linux/capability.h). */
const names = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST ' +
  'NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE ' +
  'SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM ' +
  'BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');

/** What this machine, often itself a container, may not give away, `CAP_…`. */
export function missingCapabilities(): readonly string[] {
  const [, hex = '0'] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const bounding = BigInt(`0x${hex}`);
  return names.filter((_, bit) => (bounding & (1n << BigInt(bit))) === 0n).map((name) => `CAP_${name}`);
}

/**
 * A `runc` that leaves out the capabilities that cannot be had here: dockerd 20.10 asks for all of them for a privileged container,
 * and runc then refuses to start it.
 */
export function writeRuncWrapper(file: string): void {
  const edits = missingCapabilities().map((name) => `-e 's/"${name}",\\{0,1\\}//g'`);
  const script = `#!/bin/sh
file=
previous=
for argument in "$@"; do
  [ "$previous" = --bundle ] && file=$argument/config.json
  [ "$previous" = --process ] && file=$argument
  previous=$argument
done
[ -n "$file" ] && sed -i ${edits.join(' ')} -e 's/,\\]/]/g' "$file"
exec runc "$@"
`;
  writeFileSync(file, script, { mode: 0o755 });
}
