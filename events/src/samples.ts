import type { AnyEvent } from './catalogue';
import type { PlannedAction } from './workflow.events';
import type { HardwareRecord } from './hardware.events';
import { leaseSamples } from './lease.samples';
import { workflowSamples } from './workflow.samples';
import { subscriptionSamples } from './subscription.samples';

const hardwareId = '9f0b4e4e-8f0c-4b9a-9a55-3d3f0c1a0001';
const mac = '52-54-00-12-34-56';
const ip = '192.168.50.11';
const booting = { hardwareId, mac };
const attempt = { index: 0, attempt: 1, workerId: hardwareId };
const sha256 = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae';

const hardware: HardwareRecord = {
  id: hardwareId,
  version: 0,
  metadata: { facility: { facility_code: 'onprem', plan_slug: 'c2.medium.x86' }, instance: { hostname: 'machine-1' } },
  network: {
    interfaces: [
      {
        dhcp: {
          mac,
          hostname: 'machine-1',
          lease_time: 86400,
          name_servers: ['192.168.50.1'],
          time_servers: [],
          arch: 'x86_64',
          uefi: false,
          iface_name: 'eth0',
          domain_name: 'lab.example',
          ip: { address: ip, netmask: '255.255.255.0', gateway: '192.168.50.1', family: 4 },
          options: [
            { code: 121, type: 'routes', value: [{ destination: '10.0.0.0/8', router: '192.168.50.2' }] },
            { code: 224, type: 'hex', value: '0a0b' },
          ],
          options6: [{ code: 56, type: 'ntp', value: ['2001:db8::123', 'ntp.example.org'] }],
          vlan_id: 100,
        },
        netboot: {
          allow_pxe: true,
          allow_workflow: true,
          ipxe: { url: '', contents: '', binary: '' },
          osie: { base_url: '', kernel: '', initrd: '', kernel_params: ['iommu=pt'], console: 'ttyS1,115200' },
          rescue: false,
        },
      },
    ],
  },
};

const action: PlannedAction = {
  task: 'os-installation',
  name: 'stream-image',
  image: 'image2disk',
  timeoutSeconds: 600,
  command: ['/usr/bin/image2disk'],
  onTimeout: [],
  onFailure: ['/bin/report-failure'],
  workerId: hardwareId,
  volumes: ['/dev:/dev'],
  environment: ['DEST_DISK=/dev/vda', 'IMG_URL=http://192.168.50.1/images/debian.raw.gz'],
  pid: 'host',
  plan: {
    id: 'os-installation/stream-image',
    needs: [],
    runs: 'success',
    condition: '',
    retry: { limit: 2, delaySeconds: 10, factor: 2, maxDelaySeconds: 300, exitCodes: [75], onTimeout: false },
    approval: null,
    destructive: true,
    onReboot: 'ask',
    secrets: { IMG_TOKEN: 'image-server' },
  },
};

/**
 * One sample of the current version of every event: the compiler holds it to the type, decode.spec.ts to the frozen fixture. So a
 * changed type without a new version fails one of the two.
 */
export const samples: { readonly [T in AnyEvent['type']]: Extract<AnyEvent, { readonly type: T }> } = {
  HardwareRegistered: { type: 'HardwareRegistered', v: 4, data: { hardware } },
  HardwareUpdated: {
    type: 'HardwareUpdated',
    v: 4,
    data: { hardware: { ...hardware, version: 1, network: { interfaces: [] } } },
  },
  HardwareDeleted: { type: 'HardwareDeleted', v: 1, data: {} },

  TemplateCreated: {
    type: 'TemplateCreated',
    v: 1,
    data: { name: 'debian', data: 'version: "0.1"\nname: debian\nglobal_timeout: 1800\ntasks: []\n' },
  },
  TemplateUpdated: { type: 'TemplateUpdated', v: 1, data: { name: 'debian', data: 'version: "0.1"\nname: debian\n' } },
  TemplateDeleted: { type: 'TemplateDeleted', v: 1, data: {} },

  WorkflowCreated: {
    type: 'WorkflowCreated',
    v: 2,
    data: {
      templateId: '5c0fbd1e-1a40-4a9b-8d1a-8a3a4f0b0002',
      templateName: 'debian',
      templateVersion: 3,
      devices: { device_1: '52:54:00:12:34:56' },
      globalTimeoutSeconds: 1800,
      actions: [action],
      origin: null,
    },
  },
  ActionStarted: {
    type: 'ActionStarted',
    v: 1,
    data: { ...attempt, bootId: 'd4f5a2de-4f0a-4b8e-90c6-7f1a7b6d0003', startedAt: '2026-11-23T19:00:00.000Z' },
  },
  ActionSucceeded: {
    type: 'ActionSucceeded',
    v: 2,
    data: {
      ...attempt,
      seconds: 12.5,
      finishedAt: '2026-11-23T19:00:12.500Z',
      message: 'finished',
      outputs: { bytes: 2_147_483_648, disk: '/dev/vda' },
    },
  },
  ActionFailed: {
    type: 'ActionFailed',
    v: 1,
    data: {
      ...attempt,
      seconds: 2,
      finishedAt: '2026-11-23T19:00:02.000Z',
      reason: 'exit',
      exitCode: 17,
      message: 'exit code 17',
    },
  },
  ActionTimedOut: {
    type: 'ActionTimedOut',
    v: 1,
    data: { ...attempt, seconds: 600, firedBy: 'worker', message: 'stopped after 600 s' },
  },
  ActionHandlerFinished: {
    type: 'ActionHandlerFinished',
    v: 1,
    data: { ...attempt, handler: 'on-failure', exitCode: 0, seconds: 1, message: '' },
  },
  WorkflowTimedOut: { type: 'WorkflowTimedOut', v: 1, data: { globalTimeoutSeconds: 1800, index: 0 } },
  WorkflowDataUpdated: {
    type: 'WorkflowDataUpdated',
    v: 1,
    data: {
      version: 1,
      sha256,
      size: 3,
      workerId: hardwareId,
      task: 'os-installation',
      action: 'stream-image',
    },
  },
  WorkflowDeleted: { type: 'WorkflowDeleted', v: 1, data: {} },
  ...workflowSamples,

  ...leaseSamples,

  PoolTaken: { type: 'PoolTaken', v: 1, data: { address: '192.168.50.1', epoch: 3 } },
  DhcpServerFound: {
    type: 'DhcpServerFound',
    v: 1,
    data: {
      ...{ server: '192.168.50.254', sign: 'offer', clientMac: mac, offered: '192.168.50.77' },
      seenAt: '2026-11-24T19:00:00.000Z',
    },
  },

  NetbootOffered: {
    type: 'NetbootOffered',
    v: 3,
    data: {
      ...booting,
      ...{ ip, arch: null, client: 'BOOTP', userClass: '', bootFile: 'pxelinux.0' },
      ...{ ticketHash: null, ticketExpiresAt: null },
    },
  },
  BootFileServed: {
    type: 'BootFileServed',
    v: 2,
    data: {
      ...booting,
      address: ip,
      protocol: 'http',
      role: 'kernel',
      file: '/osie/vmlinuz-x86_64',
      bytes: 8_212_480,
      seconds: 0.25,
    },
  },
  BootScriptServed: {
    type: 'BootScriptServed',
    v: 3,
    data: {
      ...booting,
      ...{ script: 'osie', format: 'iPXE', tokenHash: sha256, expiresAt: '2026-11-23T19:10:00.000Z' },
      ...{ address: ip, ticketHash: sha256, ticketExpiresAt: '2026-11-23T19:02:00.000Z' },
    },
  },
  OsieStarted: { type: 'OsieStarted', v: 2, data: { ...booting, uptimeSeconds: 6.42 } },
  MachineDiscovered: {
    type: 'MachineDiscovered',
    v: 1,
    data: {
      ...booting,
      address: ip,
      inventory: {
        ...{ vendor: 'QEMU', product: 'Standard PC', serial: 'SN-1', uuid: '4c4c4544-0001-0001-0001-000000000001' },
        ...{ arch: 'x86_64', cpuModel: 'AMD EPYC', cpus: 2, memoryBytes: 1_073_741_824 },
        disks: [{ name: 'vda', bytes: 1_073_741_824, model: '', serial: 'disk-1' }],
        interfaces: [{ name: 'eth0', mac, driver: 'virtio_net', link: true }],
      },
    },
  },
  MachinePhonedHome: {
    type: 'MachinePhonedHome',
    v: 1,
    data: { ...booting, kind: 'phone-home', body: '{"instance_id":"machine-1"}', address: ip },
  },
  BootRequestFailed: {
    type: 'BootRequestFailed',
    v: 1,
    data: {
      ...booting,
      hardwareId: null,
      protocol: 'dhcp',
      reason: 'unknown-machine',
      detail: 'discover of PXEClient, architecture 7',
      source: '0.0.0.0',
      count: 3,
      firstAt: '2026-11-23T19:00:00.000Z',
      lastAt: '2026-11-23T19:00:12.000Z',
    },
  },

  EnrolmentTokenIssued: {
    type: 'EnrolmentTokenIssued',
    v: 1,
    data: { tokenHash: sha256, expiresAt: '2026-11-23T19:10:00.000Z' },
  },
  WorkerEnrolled: {
    type: 'WorkerEnrolled',
    v: 1,
    data: {
      mac,
      publicKey: 'UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4',
      tokenHash: sha256,
      address: ip,
      expiresAt: '2026-11-24T19:00:00.000Z',
    },
  },
  WorkerCredentialRenewed: {
    type: 'WorkerCredentialRenewed',
    v: 1,
    data: {
      mac,
      publicKey: 'UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4',
      address: ip,
      expiresAt: '2026-11-25T19:00:00.000Z',
    },
  },
  WorkerReady: {
    type: 'WorkerReady',
    v: 1,
    data: {
      workerVersion: '0.1.0',
      hostname: 'machine-1',
      kernel: '6.1.0-40-amd64',
      node: 'v24.21.0',
      engine: 'docker 20.10.24',
      cpus: 2,
      memoryBytes: 2_080_374_784,
      uptimeSeconds: 9,
    },
  },

  ClaimTaken: {
    type: 'ClaimTaken',
    v: 1,
    data: { kind: 'mac', value: mac, owner: hardwareId, ownerPosition: 17 },
  },
  SecretSet: { type: 'SecretSet', v: 1, data: { version: 2, entry: '6f1d0a3b5c7e9f00112233445566778a' } },
  SecretDeleted: { type: 'SecretDeleted', v: 1, data: {} },
  ...subscriptionSamples,
  AuditCheckpointed: {
    type: 'AuditCheckpointed',
    v: 1,
    data: {
      position: 1000,
      hash: sha256,
      keyId: '5e0d8f6c1b7a4d2e9f3c0a1b2c3d4e5f60718293a4b5c6d7e8f9011223344556',
      signature: 'eXQ0m4gE3n2m1sHn1v3oT9G1rJv8eB0C6cRz4Qm2x7yqk5Zp0u1tW3sV9d8fL2aB4cD6eF8gH0iJ1kL3mN5oPA==',
    },
  },
};
