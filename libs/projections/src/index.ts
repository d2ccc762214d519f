export type { Projection } from './projection';
export type {
  ActionRow,
  ActionStatus,
  BootStep,
  BootStepRow,
  HandlerRow,
  HardwareRow,
  LeaseRow,
  MachineRow,
  TemplateRow,
  WorkflowDataRow,
  WorkflowEventRow,
  WorkflowRow,
  WorkflowStatus,
} from './rows';
