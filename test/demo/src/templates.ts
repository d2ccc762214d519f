import type { TemplateVersion } from '@tinkerbell/template';

export interface Installation {
  readonly imageUrl: string;
  /** Of the compressed image. */
  readonly sha256: string;
  readonly serverAddress: string;
  readonly disk: string;
  /** False: the worker runs on this host, which is not to be restarted, and its disk has no partitions that the kernel knows. */
  readonly isMachine: boolean;
}

export function templateYaml(version: TemplateVersion, installation: Installation): string {
  return version === '1.0' ? graph(installation) : list(installation);
}

/** What 1.0 is for: tasks side by side, outputs, a permit before data is destroyed, what to do after a reboot or a failed try. */
function graph(installation: Installation): string {
  const { imageUrl, sha256, disk, isMachine } = installation;
  return `version: '1.0'
name: demo
timeout: 30m
tasks:
  - name: greet # needs nothing: runs beside the installation
    worker: "{{ .device_1 }}"
    actions:
      - name: hello-world
        image: hello-world
        timeout: 5m
        onReboot: restart # saying hello twice does no harm
        environment:
          MESSAGE: "This will be \${{ device.hardware.metadata.instance.hostname }}."

  - name: install
    worker: "{{ .device_1 }}"
    volumes: [/dev:/dev]
    actions:
      - name: write-image
        image: image2disk
        timeout: 10m
        destructive: true # runs under a one-time permit
        onReboot: restart # writes the whole disk, however far it had come
        retries: { limit: 2, delay: 5s }
        environment:
          IMG_URL: ${imageUrl}
          DEST_DISK: ${disk}
          COMPRESSED: "true"
          CHECKSUM: sha256:${sha256}
          PROGRESS_INTERVAL_SECONDS: "1"
${isMachine ? configure(installation) : ''}    finally: # however it ended
      - name: report
        image: hello-world
        timeout: 5m
        onReboot: restart
        environment:
          MESSAGE: >-
            write-image: \${{ actions['write-image'].status }} after \${{ actions['write-image'].attempts }} attempt(s),
            \${{ outputs['write-image'].bytes }} bytes in \${{ outputs['write-image'].seconds }} s
${isMachine ? restart : ''}`;
}

const configure = ({ serverAddress }: Installation) => `      - name: write-config
        image: writefile
        timeout: 5m
        onReboot: restart
        environment:
          DEST_DISK: "\${{ outputs['write-image'].disk }}2" # the disk that write-image says it wrote
          FS_TYPE: ext4
          DEST_PATH: /etc/tinkerbell.env
          CONTENTS: |
            TINKERBELL_SERVER=${serverAddress}
            TINKERBELL_IMAGE_SHA256=\${{ outputs['write-image'].sha256 }}
`;

const restart = `
  - name: restart
    worker: "{{ .device_1 }}"
    needs: [greet, install] # the report too
    actions:
      - name: reboot
        image: reboot
        timeout: 5m
`;

/** As the original has it: one action after the other. */
function list({ imageUrl, sha256, serverAddress, disk, isMachine }: Installation): string {
  return `version: "0.1"
name: demo
global_timeout: 900
tasks:
  - name: provision
    worker: "{{.device_1}}"
    volumes:
      - /dev:/dev
    actions:
      - name: hello-world
        image: hello-world
        timeout: 60
      - name: write-image
        image: image2disk
        timeout: 600
        environment:
          IMG_URL: ${imageUrl}
          DEST_DISK: ${disk}
          COMPRESSED: "true"
          CHECKSUM: sha256:${sha256}
          PROGRESS_INTERVAL_SECONDS: "1"
${
  isMachine
    ? `      - name: write-config
        image: writefile
        timeout: 60
        environment:
          DEST_DISK: ${disk}2
          FS_TYPE: ext4
          DEST_PATH: /etc/tinkerbell.env
          CONTENTS: |
            TINKERBELL_SERVER=${serverAddress}
          UID: "0"
          GID: "0"
          MODE: "0644"
          DIRMODE: "0755"
      - name: reboot
        image: reboot
        timeout: 60
`
    : ''
}`;
}
