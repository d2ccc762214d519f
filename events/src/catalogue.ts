import { auditCatalogue, type AuditEvent } from './audit.events';
import { bootCatalogue, type BootEvent } from './boot.events';
import { claimCatalogue, type ClaimEvent } from './claim.events';
import type { DhcpServiceEvent } from './dhcp-service.events';
import { enrolmentCatalogue, type EnrolmentEvent } from './enrolment.events';
import type { Catalogue, Event } from './event';
import { hardwareCatalogue, type HardwareEvent } from './hardware.events';
import { leaseCatalogue, type LeaseEvent } from './lease.events';
import { secretCatalogue, type SecretEvent } from './secret.events';
import { subscriptionCatalogue, type SubscriptionEvent } from './subscription.events';
import { templateCatalogue, type TemplateEvent } from './template.events';
import { workflowCatalogue, type WorkflowEvent } from './workflow.events';

/** Aggregate name (third token after `tink.ev`) → its events. */
export const catalogue = {
  hardware: hardwareCatalogue,
  template: templateCatalogue,
  workflow: workflowCatalogue,
  lease: leaseCatalogue,
  boot: bootCatalogue,
  enrolment: enrolmentCatalogue,
  claim: claimCatalogue,
  secret: secretCatalogue,
  subscription: subscriptionCatalogue,
  audit: auditCatalogue,
} as const satisfies Record<string, Catalogue<Event>>;

export type Aggregate = keyof typeof catalogue;
export const aggregates = Object.keys(catalogue) as readonly Aggregate[];

export type AnyEvent =
  | HardwareEvent
  | TemplateEvent
  | WorkflowEvent
  | LeaseEvent
  | DhcpServiceEvent
  | BootEvent
  | EnrolmentEvent
  | ClaimEvent
  | SecretEvent
  | SubscriptionEvent
  | AuditEvent;
