export const templateName = 'bench';
export const actionCount = 10;
export const image = 'registry.local:5000/bench:v1';

/** Ten actions on one machine. */
export const templateText = [
  ...['version: "0.1"', `name: ${templateName}`, 'global_timeout: 0', 'tasks:', '  - name: task'],
  ...['    worker: "{{.device_1}}"', '    actions:'],
  ...Array.from({ length: actionCount }, (_, index) => [
    ...[`      - name: action-${index}`, `        image: ${image}`, '        timeout: 3600'],
    ...['        volumes:', '          - /dev:/dev', '        environment:', '          DEST_DISK: /dev/sda'],
  ]).flat(),
  '',
].join('\n');
