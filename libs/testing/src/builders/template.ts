import type { TemplateCreated, TemplateDeleted, TemplateUpdated } from '@tinkerbell/events';

export const templateText = `version: "0.1"
name: hello_world_workflow
global_timeout: 600
tasks:
  - name: "hello world"
    worker: "{{.device_1}}"
    actions:
      - name: "hello_world"
        image: hello-world
        timeout: 60
`;

export function templateCreated(name = 'hello', data = templateText): TemplateCreated {
  return { type: 'TemplateCreated', v: 1, data: { name, data } };
}

export function templateUpdated(name = 'hello', data = templateText): TemplateUpdated {
  return { type: 'TemplateUpdated', v: 1, data: { name, data } };
}

export function templateDeleted(): TemplateDeleted {
  return { type: 'TemplateDeleted', v: 1, data: {} };
}
